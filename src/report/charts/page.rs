//! What every chart shares: where it comes from, the time axis, and a legend for signs that cannot name themselves.

use super::canvas::{Align, Canvas, EDGE};
use super::theme::{self, Color, GRID, INK, MUTED, WHITE, WRONG};
use crate::base::Time;
use crate::report::{Document, number};

/// Where the picture proper begins below the titles.
pub(super) const TOP: f64 = 84.0;

/// Scenario, engine, seed and how many replications the picture is about.
pub(super) fn origin(doc: &Document, of: &str) -> String {
    format!("{}, engine {}, seed {}, {of}", doc.scenario, doc.engine, doc.seed)
}

/// The text, cut with an ellipsis where it is wider than `width`.
pub(super) fn fitted(text: &str, em: f64, bold: bool, width: f64) -> String {
    if theme::text_width(text, em, bold) <= width {
        return text.to_string();
    }
    let mut cut: Vec<char> = text.chars().collect();
    while !cut.is_empty() {
        cut.pop();
        let shorter = cut.iter().collect::<String>().trim_end().to_string() + "…";
        if theme::text_width(&shorter, em, bold) <= width {
            return shorter;
        }
    }
    String::new()
}

/// Whether a text has room within `width`, with a little air at both sides.
pub(super) fn text_fits(text: &str, em: f64, width: f64) -> bool {
    theme::text_width(text, em, false) + 6.0 <= width
}

/// Time along the x axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeAxis {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) end: Time,
}

/// Lengths between ticks that people can count in, seconds and parts of them in µs.
const STEPS: [u64; 33] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    120_000_000,
    300_000_000,
    600_000_000,
    1_800_000_000,
    3_600_000_000,
    7_200_000_000,
    21_600_000_000,
    43_200_000_000,
    86_400_000_000,
];

impl TimeAxis {
    pub(super) fn x(&self, at: Time) -> f64 {
        let end = self.end.micros().max(1) as f64;
        self.left + (self.right - self.left) * (at.micros() as f64 / end).min(1.0)
    }

    /// At most ten ticks after the first, at round times.
    pub(super) fn ticks(&self) -> Vec<Time> {
        let end = self.end.micros();
        let day = STEPS[STEPS.len() - 1];
        let step =
            STEPS.iter().copied().find(|step| end / step <= 10).unwrap_or_else(|| day * (end / day).div_ceil(10));
        (0..=end / step).map(|count| Time::from_micros(count * step)).collect()
    }

    /// Thin lines from `top` to `bottom` at the ticks.
    pub(super) fn grid(&self, canvas: &mut Canvas, top: f64, bottom: f64) {
        for tick in self.ticks() {
            canvas.line((self.x(tick), top), (self.x(tick), bottom), 1.0, GRID);
        }
    }

    /// The ticks' times below `bottom`.
    pub(super) fn labels(&self, canvas: &mut Canvas, bottom: f64) {
        canvas.line((self.left, bottom), (self.right, bottom), 1.0, MUTED);
        for tick in self.ticks() {
            let x = self.x(tick);
            canvas.line((x, bottom), (x, bottom + 5.0), 1.0, MUTED);
            canvas.text(x, bottom + 18.0, &number::clock(tick), 12.0, Align::Center, MUTED);
        }
    }
}

/// A sign of the legend, drawn in the picture by the same hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    /// A filled box.
    Box(Color),
    /// A white box with a border.
    Outlined,
    /// A box with slanted lines.
    Hatched(Color),
    /// A crash.
    Cross,
    /// Killed at the end of its grace.
    Square,
    /// Told to quiesce.
    Triangle,
    /// A lease that ended.
    Diamond,
    /// A breach.
    Stroke,
    /// The first or last instant of a queue.
    End,
}

/// A box of a bar, filled as the sign says.
pub(super) fn fill(canvas: &mut Canvas, sign: Sign, (x, y): (f64, f64), width: f64, height: f64) {
    match sign {
        Sign::Box(color) => canvas.rect(x, y, width, height, color),
        Sign::Outlined => {
            canvas.rect(x, y, width, height, WHITE);
            if width >= 2.0 {
                canvas.outline(x + 0.5, y + 0.5, width - 1.0, height - 1.0, 1.0, PALE_BORDER);
            }
        }
        Sign::Hatched(color) => {
            canvas.rect(x, y, width, height, color.tint(0.45));
            let mut start = x - height;
            while start < x + width {
                // A line that climbs to the right by as much as it goes along, cut at the sides of the box.
                let (from, to) = (start.max(x), (start + height).min(x + width));
                if to > from {
                    canvas.line((from, y + height - (from - start)), (to, y + height - (to - start)), 1.0, color);
                }
                start += 5.0;
            }
        }
        Sign::Cross | Sign::Square | Sign::Triangle | Sign::Diamond | Sign::Stroke | Sign::End => {}
    }
}

const PALE_BORDER: Color = Color(150, 150, 150);

/// A mark around a point, with a white rim so that it stands out from any bar.
pub(super) fn mark(canvas: &mut Canvas, sign: Sign, (x, y): (f64, f64), height: f64) {
    let r = 4.5;
    match sign {
        Sign::Cross => {
            for (stroke, color) in [(4.5, WHITE), (2.25, WRONG)] {
                canvas.line((x - r, y - r), (x + r, y + r), stroke, color);
                canvas.line((x - r, y + r), (x + r, y - r), stroke, color);
            }
        }
        Sign::Square => {
            canvas.rect(x - r, y - r, 2.0 * r, 2.0 * r, WHITE);
            canvas.rect(x - r + 1.0, y - r + 1.0, 2.0 * r - 2.0, 2.0 * r - 2.0, WRONG);
        }
        Sign::Triangle => {
            canvas.polygon(vec![(x - 6.5, y - 5.5), (x + 6.5, y - 5.5), (x, y + 6.5)], WHITE);
            canvas.polygon(vec![(x - 4.5, y - 4.25), (x + 4.5, y - 4.25), (x, y + 4.0)], INK);
        }
        Sign::Diamond => {
            for (r, color) in [(6.5, WHITE), (4.75, WRONG)] {
                canvas.polygon(vec![(x - r, y), (x, y - r), (x + r, y), (x, y + r)], color);
            }
        }
        Sign::Stroke => canvas.line((x, y - height / 2.0), (x, y + height / 2.0), 2.0, WRONG),
        Sign::End => canvas.line((x, y - height / 2.0), (x, y + height / 2.0), 2.0, INK),
        Sign::Box(_) | Sign::Outlined | Sign::Hatched(_) => {}
    }
}

/// Signs and their meaning, in rows below the picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Legend {
    items: Vec<(Sign, String)>,
}

const ROW: f64 = 20.0;
const SIGN_WIDTH: f64 = 22.0;

impl Legend {
    pub(super) fn add(&mut self, sign: Sign, text: &str) {
        self.items.push((sign, text.to_string()));
    }

    /// Each item's row and x on a page of this width.
    fn places(&self, page: f64) -> Vec<(usize, f64)> {
        let (mut row, mut x) = (0, EDGE);
        let place = |(_, text): &(Sign, String)| {
            let width = SIGN_WIDTH + theme::text_width(text, 12.0, false);
            if x > EDGE && x + width > page - EDGE {
                (row, x) = (row + 1, EDGE);
            }
            let at = (row, x);
            x += width + 20.0;
            at
        };
        self.items.iter().map(place).collect()
    }

    pub(super) fn height(&self, page: f64) -> f64 {
        self.places(page).last().map_or(0.0, |(row, _)| (*row as f64 + 1.0) * ROW)
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, top: f64) {
        for ((sign, text), (row, x)) in self.items.iter().zip(self.places(canvas.width())) {
            let middle = top + row as f64 * ROW + ROW / 2.0;
            fill(canvas, *sign, (x, middle - 6.0), 16.0, 12.0);
            mark(canvas, *sign, (x + 8.0, middle), 14.0);
            canvas.text(x + SIGN_WIDTH, middle + 4.5, text, 12.0, Align::Left, INK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few_for_every_length() {
        for micros in [1, 999, 45_000_000, 3_600_000_000, 28_800_000_000, 86_400_000_000, 86_400_000_000 * 400] {
            let axis = TimeAxis { left: 0.0, right: 100.0, end: Time::from_micros(micros) };
            assert!((2..=11).contains(&axis.ticks().len()), "{micros}: {:?}", axis.ticks());
        }
    }

    #[test]
    fn a_text_too_wide_ends_in_an_ellipsis() {
        let cut = fitted("a very long title of a chart", 12.0, false, 80.0);
        assert!(cut.ends_with('…') && theme::text_width(&cut, 12.0, false) <= 80.0, "{cut}");
    }
}
