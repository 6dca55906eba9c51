//! Where the workers' time went: one bar of all worker time in the window, the mean over replications.

use super::Room;
use super::canvas::{Align, Canvas, EDGE, Label};
use super::page;
use super::theme::{self, BLUE, Color, IDLE, INK, MUTED, ORANGE, PAUSED, STARTING, WHITE};
use crate::report::{Document, number};

const TOP: f64 = 84.0;
const BAR: f64 = 76.0;

/// A part of the bar.
struct Part {
    name: &'static str,
    share: f64,
    color: Color,
}

impl Part {
    /// Whether its name fits into its part of the bar on a page of this width.
    fn has_room(&self, page: f64) -> bool {
        let text = theme::text_width(self.name, 13.0, false).max(theme::text_width("100 %", 18.0, true));
        text + 16.0 <= self.share * (page - 2.0 * EDGE)
    }
}

/// The chart, where there was any worker time.
pub(super) fn draw(doc: &Document, Room { width, .. }: Room) -> Option<Canvas> {
    let times: Vec<_> = doc.observations.iter().map(|it| it.worker_time).filter(|it| it.total > 0).collect();
    if times.is_empty() {
        return None;
    }
    let mean = |part: fn(&crate::observe::WorkerTime) -> u64| {
        times.iter().map(|it| part(it) as f64 / it.total as f64).sum::<f64>() / times.len() as f64
    };
    let parts = [
        Part { name: "starting", share: mean(|it| it.starting), color: STARTING },
        Part { name: "busy", share: mean(|it| it.busy), color: BLUE },
        Part { name: "paused", share: mean(|it| it.paused), color: PAUSED },
        Part { name: "idle beside runnable work", share: mean(|it| it.idle_avoidable), color: ORANGE },
        Part { name: "idle, nothing runnable", share: mean(|it| it.idle_unavoidable), color: IDLE },
    ];
    let title = format!(
        "Workers were busy {} of their time, and idle beside runnable work {}",
        number::percent(parts[1].share),
        number::percent(parts[3].share)
    );
    let none: Vec<&str> = parts.iter().filter(|part| part.share == 0.0).map(|part| part.name).collect();
    let room_inside = parts.iter().all(|part| part.share == 0.0 || part.has_room(width));
    let bottom = TOP + BAR + if room_inside { 16.0 } else { 60.0 };
    let mut canvas = Canvas::new(width, bottom + if none.is_empty() { 8.0 } else { 34.0 });
    let of = number::counted(times.len() as u64, "replication");
    let window = format!("{of}; all worker time from {} to {}", number::clock(doc.warm_up), number::clock(doc.horizon));
    canvas.titled(&title, &page::origin(doc, &window));
    draw_bar(&mut canvas, &parts);
    if !none.is_empty() {
        let text = format!("never: {}", none.join("; "));
        canvas.text(EDGE, bottom + 14.0, &text, 12.0, Align::Left, MUTED);
    }
    Some(canvas)
}

fn draw_bar(canvas: &mut Canvas, parts: &[Part]) {
    let scale = canvas.width() - 2.0 * EDGE;
    let mut x = EDGE;
    let mut outside: Vec<(f64, String)> = Vec::new();
    for part in parts.iter().filter(|part| part.share > 0.0) {
        let width = part.share * scale;
        canvas.rect(x, TOP, width.max(0.5), BAR, part.color);
        if x > EDGE {
            canvas.line((x, TOP), (x, TOP + BAR), 1.0, WHITE);
        }
        let (share, ink) = (number::percent(part.share), part.color.text_on());
        let middle = x + width / 2.0;
        if part.has_room(canvas.width()) {
            let baseline = TOP + BAR / 2.0 - 3.0;
            canvas.label(Label {
                x: middle,
                baseline,
                text: share,
                em: 18.0,
                bold: true,
                align: Align::Center,
                color: ink,
            });
            canvas.text(middle, TOP + BAR / 2.0 + 18.0, part.name, 13.0, Align::Center, ink);
        } else {
            outside.push((middle, format!("{share} {}", part.name)));
        }
        x += width;
    }
    draw_callouts(canvas, &outside);
}

/// Names of parts too narrow for them, below the bar, each tied to its part.
fn draw_callouts(canvas: &mut Canvas, outside: &[(f64, String)]) {
    let width = |text: &str| theme::text_width(text, 13.0, false);
    let mut lefts: Vec<f64> = Vec::new();
    let mut free = EDGE;
    for (middle, text) in outside {
        let left = (middle - width(text) / 2.0).max(free);
        lefts.push(left);
        free = left + width(text) + 18.0;
    }
    // What was pushed over the right edge goes back, and pushes its neighbours.
    let mut limit = canvas.width() - EDGE;
    for (left, (_, text)) in lefts.iter_mut().zip(outside).rev() {
        *left = left.min(limit - width(text));
        limit = *left - 18.0;
    }
    for (left, (middle, text)) in lefts.iter().zip(outside) {
        let center = left + width(text) / 2.0;
        let bottom = TOP + BAR;
        canvas.path(vec![(*middle, bottom), (*middle, bottom + 10.0), (center, bottom + 28.0)], 1.0, MUTED);
        canvas.text(*left, bottom + 43.0, text, 13.0, Align::Left, INK);
    }
}
