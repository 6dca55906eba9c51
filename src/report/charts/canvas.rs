//! A picture as a list of shapes, drawn once and written to any backend of plotters. Coordinates are points of a page;
//! backends work on a grid finer than that, so that neither print nor a sharp screen shows steps.

use std::path::Path;

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};

use super::theme::{self, Color};

/// How a text lies to its point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

/// A text with its baseline.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) baseline: f64,
    pub(super) text: String,
    pub(super) em: f64,
    pub(super) bold: bool,
    pub(super) align: Align,
    pub(super) color: Color,
}

impl Label {
    pub(super) fn width(&self) -> f64 {
        theme::text_width(&self.text, self.em, self.bold)
    }
    fn left(&self) -> f64 {
        match self.align {
            Align::Left => self.x,
            Align::Center => self.x - self.width() / 2.0,
            Align::Right => self.x - self.width(),
        }
    }
}

#[derive(Clone, Debug)]
enum Shape {
    Rect { x: f64, y: f64, width: f64, height: f64, color: Color },
    Path { points: Vec<(f64, f64)>, color: Color, stroke: f64 },
    Polygon { points: Vec<(f64, f64)>, color: Color, opacity: f64 },
    Text(Label),
}

/// A page with shapes on it, later ones over earlier ones, and a title above them.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    width: f64,
    height: f64,
    title: String,
    subtitle: String,
    shapes: Vec<Shape>,
}

/// The baseline of a title of one line, and that of the subtitle of one line below it.
const TITLE: f64 = 36.0;
const SUBTITLE: f64 = 60.0;
/// What is saved where the titles stand beside the picture.
const UNTITLED: f64 = -54.0;
/// White space at the edges.
pub(super) const EDGE: f64 = 24.0;

impl Canvas {
    /// A white page. The height is that of a page whose title and subtitle have one line each.
    pub(super) fn new(width: f64, height: f64) -> Canvas {
        Canvas { width, height: height.ceil(), title: String::new(), subtitle: String::new(), shapes: Vec::new() }
    }
    /// Its width, in points.
    pub(super) fn width(&self) -> f64 {
        self.width
    }
    /// Titles it. The title says what is seen, the subtitle where it comes from.
    pub(super) fn titled(&mut self, title: &str, subtitle: &str) {
        (self.title, self.subtitle) = (title.to_owned(), subtitle.to_owned());
    }
    pub(super) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, color: Color) {
        self.shapes.push(Shape::Rect { x, y, width, height, color });
    }
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: f64, color: Color) {
        self.path(vec![from, to], stroke, color);
    }
    pub(super) fn path(&mut self, points: Vec<(f64, f64)>, stroke: f64, color: Color) {
        self.shapes.push(Shape::Path { points, color, stroke });
    }
    pub(super) fn polygon(&mut self, points: Vec<(f64, f64)>, color: Color) {
        self.shapes.push(Shape::Polygon { points, color, opacity: 1.0 });
    }
    /// What lies below shines through.
    pub(super) fn veil(&mut self, points: Vec<(f64, f64)>, color: Color) {
        self.shapes.push(Shape::Polygon { points, color, opacity: 0.28 });
    }
    pub(super) fn outline(&mut self, x: f64, y: f64, width: f64, height: f64, stroke: f64, color: Color) {
        let points = vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)];
        self.path(points, stroke, color);
    }
    pub(super) fn text(&mut self, x: f64, baseline: f64, text: &str, em: f64, align: Align, color: Color) {
        self.label(Label { x, baseline, text: text.into(), em, bold: false, align, color });
    }
    pub(super) fn label(&mut self, label: Label) {
        self.shapes.push(Shape::Text(label));
    }

    /// The lines of the titles, and by how much the picture lies lower for lines beyond one each.
    fn head(&self) -> (Vec<Label>, f64) {
        let room = self.width - 2.0 * EDGE;
        let is_wide = |em: &f64| theme::text_width(&self.title, *em, true) <= room;
        let em = (0..=8).map(|step| 20.0 - f64::from(step) / 2.0).find(is_wide).unwrap_or(16.0);
        let line =
            |text, baseline, em, bold, color| Label { x: EDGE, baseline, text, em, bold, align: Align::Left, color };
        let mut labels = Vec::new();
        let mut baseline = TITLE;
        for (index, text) in theme::lines(&self.title, em, true, room).into_iter().enumerate() {
            baseline = TITLE + index as f64 * 23.0;
            labels.push(line(text, baseline, em, true, theme::INK));
        }
        let first = baseline + SUBTITLE - TITLE;
        for (index, text) in theme::lines(&self.subtitle, 13.0, false, room).into_iter().enumerate() {
            baseline = first + index as f64 * 17.0;
            labels.push(line(text, baseline, 13.0, false, theme::MUTED));
        }
        (labels, (baseline - SUBTITLE).max(0.0))
    }

    /// The picture as an SVG document, `physical` wide: a CSS length.
    pub(super) fn svg(&self, physical: &str) -> Result<String, String> {
        let (head, lower) = self.head();
        let sized = |_: f64| format!(r#"width="{physical}""#);
        self.vector(&head, lower, sized)
    }

    /// The picture without its titles, for a page that has them as text and scales it.
    pub(super) fn untitled_svg(&self) -> Result<String, String> {
        self.vector(&[], UNTITLED, |height| format!(r#"width="{}" height="{height}""#, self.width))
    }

    /// Title and subtitle.
    pub(super) fn titles(&self) -> (&str, &str) {
        (&self.title, &self.subtitle)
    }

    fn vector(&self, head: &[Label], lower: f64, sized: impl Fn(f64) -> String) -> Result<String, String> {
        const FINE: f64 = 4.0;
        let height = self.height + lower;
        let size = (on_grid(self.width, FINE) as u32, on_grid(height, FINE) as u32);
        let mut text = String::new();
        let mut backend = SVGBackend::with_string(&mut text, size);
        self.draw(&mut backend, &Grid { fine: FINE, lower, text: set_text }, head)?;
        backend.present().map_err(|error| error.to_string())?;
        drop(backend);
        let fine = format!(r#"width="{}" height="{}""#, size.0, size.1);
        Ok(text.replacen(&fine, &sized(height), 1))
    }

    /// Writes the picture as a PNG file of `fine` pixels per point.
    pub(super) fn png(&self, path: &Path, fine: f64) -> Result<(), String> {
        let (head, lower) = self.head();
        let size = (on_grid(self.width, fine) as u32, on_grid(self.height + lower, fine) as u32);
        let mut backend = BitMapBackend::new(path, size);
        self.draw(&mut backend, &Grid { fine, lower, text: paint_text }, &head)?;
        backend.present().map_err(|error| error.to_string())
    }

    fn draw<B: DrawingBackend>(&self, backend: &mut B, grid: &Grid<B>, head: &[Label]) -> Result<(), String> {
        let (width, height) = backend.get_size();
        let corner = (width as i32, height as i32);
        backend.draw_rect((0, 0), corner, &rgb(theme::WHITE), true).map_err(|error| error.to_string())?;
        for label in head {
            (grid.text)(backend, label, grid.fine)?;
        }
        for shape in &self.shapes {
            match shape {
                Shape::Rect { x, y, width, height, color } => {
                    let (left, top) = grid.point((*x, *y));
                    let (right, bottom) = grid.point((x + width, y + height));
                    let corner = (right.max(left + 1), bottom.max(top + 1));
                    backend.draw_rect((left, top), corner, &rgb(*color), true).map_err(|error| error.to_string())?;
                }
                Shape::Path { points, color, stroke } => {
                    let stroke = on_grid(*stroke, grid.fine).max(1) as u32;
                    let style = ShapeStyle { color: rgb(*color).to_rgba(), filled: false, stroke_width: stroke };
                    let points = points.iter().map(|point| grid.point(*point));
                    backend.draw_path(points, &style).map_err(|error| error.to_string())?;
                }
                Shape::Polygon { points, color, opacity } => {
                    let points = points.iter().map(|point| grid.point(*point));
                    backend.fill_polygon(points, &rgb(*color).mix(*opacity)).map_err(|error| error.to_string())?;
                }
                Shape::Text(label) => {
                    let label = Label { baseline: label.baseline + grid.lower, ..label.clone() };
                    (grid.text)(backend, &label, grid.fine)?;
                }
            }
        }
        Ok(())
    }

    /// Its height with all lines of the titles.
    #[cfg(test)]
    pub(super) fn full_height(&self) -> f64 {
        self.height + self.head().1
    }

    /// Texts that stand beyond the page's edge or over one another.
    #[cfg(test)]
    pub(super) fn unreadable(&self) -> Vec<String> {
        let (head, lower) = self.head();
        let inside = self.shapes.iter().filter_map(|it| if let Shape::Text(label) = it { Some(label) } else { None });
        let lowered = inside.map(|it| Label { baseline: it.baseline + lower, ..it.clone() });
        let labels: Vec<Label> = head.into_iter().chain(lowered).collect();
        let reach =
            |it: &Label| (it.left(), it.left() + it.width(), it.baseline - 0.75 * it.em, it.baseline + 0.2 * it.em);
        let mut found = Vec::new();
        for (index, label) in labels.iter().enumerate() {
            let (left, right, top, bottom) = reach(label);
            if left < 0.0 || right > self.width || top < 0.0 || bottom > self.height + lower {
                found.push(format!("cut: {}", label.text));
            }
            for other in &labels[..index] {
                let (l, r, t, b) = reach(other);
                if left < r && l < right && top < b && t < bottom {
                    found.push(format!("over one another: {} / {}", label.text, other.text));
                }
            }
        }
        found
    }
}

/// How a backend's pixels lie on the page.
struct Grid<B> {
    /// Steps per point.
    fine: f64,
    /// By how much shapes lie lower than they say, points.
    lower: f64,
    text: fn(&mut B, &Label, f64) -> Result<(), String>,
}

impl<B> Grid<B> {
    fn point(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (on_grid(x, self.fine), on_grid(y + self.lower, self.fine))
    }
}

fn on_grid(value: f64, fine: f64) -> i32 {
    (value * fine).round() as i32
}

fn rgb(color: Color) -> RGBColor {
    RGBColor(color.0, color.1, color.2)
}

/// Leaves the letters to whoever shows the file.
fn set_text<B: DrawingBackend>(backend: &mut B, label: &Label, fine: f64) -> Result<(), String> {
    // The backend divides sizes by 1.24, and puts the baseline 0.76 em below a text's top.
    let em = label.em * fine;
    let style = if label.bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FontFamily::Name(theme::FAMILY), em * 1.24, style);
    let h_pos = match label.align {
        Align::Left => HPos::Left,
        Align::Center => HPos::Center,
        Align::Right => HPos::Right,
    };
    let color = rgb(label.color);
    let style = TextStyle::from(font).color(&color).pos(Pos::new(h_pos, VPos::Top));
    let at = (on_grid(label.x, fine), (label.baseline * fine - 0.76 * em).round() as i32);
    backend.draw_text(&label.text, &style, at).map_err(|error| error.to_string())
}

/// Draws the letters of the embedded font.
fn paint_text<B: DrawingBackend>(backend: &mut B, label: &Label, fine: f64) -> Result<(), String> {
    let at = ((label.left() * fine).round(), (label.baseline * fine).round());
    theme::draw_text(&label.text, at, label.em * fine, label.bold, |x, y, cover| {
        let color = rgb(label.color).mix(cover).to_backend_color();
        backend.draw_pixel((x, y), color).map_err(|error| error.to_string())
    })
}
