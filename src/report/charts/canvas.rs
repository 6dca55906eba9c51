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
    Polygon { points: Vec<(f64, f64)>, color: Color },
    Text(Label),
}

/// A page with shapes on it, later ones over earlier ones.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    width: f64,
    height: f64,
    shapes: Vec<Shape>,
}

impl Canvas {
    /// A white page.
    pub(super) fn new(width: f64, height: f64) -> Canvas {
        let mut canvas = Canvas { width, height: height.ceil(), shapes: Vec::new() };
        canvas.rect(0.0, 0.0, width, canvas.height, theme::WHITE);
        canvas
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
        self.shapes.push(Shape::Polygon { points, color });
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

    /// Its title: the first bold text on it.
    pub(super) fn caption(&self) -> String {
        let bold = |shape: &Shape| match shape {
            Shape::Text(label) if label.bold => Some(label.text.clone()),
            Shape::Text(_) | Shape::Rect { .. } | Shape::Path { .. } | Shape::Polygon { .. } => None,
        };
        self.shapes.iter().find_map(bold).unwrap_or_default()
    }

    /// The picture as an SVG document.
    pub(super) fn svg(&self) -> Result<String, String> {
        const FINE: f64 = 4.0;
        let size = (on_grid(self.width, FINE) as u32, on_grid(self.height, FINE) as u32);
        let mut text = String::new();
        let mut backend = SVGBackend::with_string(&mut text, size);
        self.draw(&mut backend, &Grid { fine: FINE, text: set_text })?;
        backend.present().map_err(|error| error.to_string())?;
        drop(backend);
        let fine = format!(r#"width="{}" height="{}""#, size.0, size.1);
        let page = format!(r#"width="{}" height="{}""#, self.width, self.height);
        Ok(text.replacen(&fine, &page, 1))
    }

    /// Writes the picture as a PNG file of two pixels per point.
    pub(super) fn png(&self, path: &Path) -> Result<(), String> {
        const FINE: f64 = 2.0;
        let size = (on_grid(self.width, FINE) as u32, on_grid(self.height, FINE) as u32);
        let mut backend = BitMapBackend::new(path, size);
        self.draw(&mut backend, &Grid { fine: FINE, text: paint_text })?;
        backend.present().map_err(|error| error.to_string())
    }

    fn draw<B: DrawingBackend>(&self, backend: &mut B, grid: &Grid<B>) -> Result<(), String> {
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
                Shape::Polygon { points, color } => {
                    let points = points.iter().map(|point| grid.point(*point));
                    backend.fill_polygon(points, &rgb(*color)).map_err(|error| error.to_string())?;
                }
                Shape::Text(label) => (grid.text)(backend, label, grid.fine)?,
            }
        }
        Ok(())
    }

    /// Texts that stand beyond the page's edge or over one another.
    #[cfg(test)]
    pub(super) fn unreadable(&self) -> Vec<String> {
        let labels: Vec<&Label> =
            self.shapes.iter().filter_map(|it| if let Shape::Text(label) = it { Some(label) } else { None }).collect();
        let reach =
            |it: &Label| (it.left(), it.left() + it.width(), it.baseline - 0.75 * it.em, it.baseline + 0.2 * it.em);
        let mut found = Vec::new();
        for (index, label) in labels.iter().enumerate() {
            let (left, right, top, bottom) = reach(label);
            if left < 0.0 || right > self.width || top < 0.0 || bottom > self.height {
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
    text: fn(&mut B, &Label, f64) -> Result<(), String>,
}

impl<B> Grid<B> {
    fn point(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (on_grid(x, self.fine), on_grid(y, self.fine))
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
