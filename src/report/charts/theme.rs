//! The look of all charts: colours that the colour-blind and a grey printer can tell apart, and text in one embedded font.
//!
//! Colours are the palette of Okabe and Ito and tints of it. Vermillion is kept for what went wrong.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, ScaleFont};

/// A colour without transparency, so that overlaps print as they look.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Color(pub(super) u8, pub(super) u8, pub(super) u8);

impl Color {
    /// This colour mixed into white: 1 keeps it, 0 is white.
    pub(super) fn tint(self, strength: f64) -> Color {
        let mix = |part: u8| (255.0 - (255.0 - f64::from(part)) * strength).round() as u8;
        Color(mix(self.0), mix(self.1), mix(self.2))
    }
    /// This colour mixed into black: 1 keeps it, 0 is black.
    fn shade(self, strength: f64) -> Color {
        let mix = |part: u8| (f64::from(part) * strength).round() as u8;
        Color(mix(self.0), mix(self.1), mix(self.2))
    }
    /// The colour of text that can be read on it.
    pub(super) fn text_on(self) -> Color {
        let light = 299 * u32::from(self.0) + 587 * u32::from(self.1) + 114 * u32::from(self.2);
        match light {
            // Like the page itself, which a dark one turns round together with its text.
            _ if self == IDLE || self == WHITE => INK,
            140_001.. => ON_LIGHT,
            _ => ON_DARK,
        }
    }
}

pub(super) const WHITE: Color = Color(255, 255, 255);
pub(super) const INK: Color = Color(34, 34, 34);
/// Text on a colour that is the same on a dark page.
const ON_LIGHT: Color = Color(33, 33, 33);
const ON_DARK: Color = Color(254, 254, 254);
pub(super) const MUTED: Color = Color(95, 95, 95);
pub(super) const GRID: Color = Color(226, 226, 226);
pub(super) const IDLE: Color = Color(240, 240, 240);
pub(super) const STARTING: Color = Color(205, 205, 205);
pub(super) const PAUSED: Color = Color(120, 120, 120);
pub(super) const CUT_OFF: Color = Color(34, 34, 34);
pub(super) const GENERAL: Color = Color(153, 153, 153);
pub(super) const BLUE: Color = Color(0, 114, 178);
pub(super) const ORANGE: Color = Color(230, 159, 0);
pub(super) const GREEN: Color = Color(0, 158, 115);
pub(super) const SKY: Color = Color(86, 180, 233);
pub(super) const PURPLE: Color = Color(204, 121, 167);
const YELLOW: Color = Color(240, 228, 66);
/// Crashes, breaches, orphans and nothing else.
pub(super) const WRONG: Color = Color(213, 94, 0);

const BASE: [Color; 6] = [BLUE, ORANGE, GREEN, SKY, PURPLE, YELLOW];

/// The colour of the nth of many things (from 0): the six base colours, then darker ones, then lighter ones, then again.
pub(super) fn nth(index: usize) -> Color {
    let base = BASE[index % BASE.len()];
    match index / BASE.len() % 3 {
        0 => base,
        1 => base.shade(0.6),
        _ => base.tint(0.45),
    }
}

/// The family in SVG files. What is drawn into PNG files is always the embedded font.
pub(super) const FAMILY: &str = "DejaVu Sans, sans-serif";

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(include_bytes!("../../../assets/fonts/DejaVuSans.ttf")).expect("the embedded font is whole")
});
static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../../assets/fonts/DejaVuSans-Bold.ttf");
    FontRef::try_from_slice(bytes).expect("the embedded font is whole")
});

fn face(bold: bool) -> &'static FontRef<'static> {
    if bold { &BOLD } else { &REGULAR }
}

/// The pixel scale at which a capital M is as high as in an SVG of this `font-size`.
fn scale(font: &FontRef<'_>, em: f64) -> f32 {
    em as f32 * font.height_unscaled() / font.units_per_em().expect("the embedded font has an em")
}

/// The width of a text whose em is `em`.
pub(super) fn text_width(text: &str, em: f64, bold: bool) -> f64 {
    let font = face(bold).as_scaled(scale(face(bold), em));
    let mut width = 0.0;
    let mut before = None;
    for glyph in text.chars().map(|it| font.glyph_id(it)) {
        width += before.map_or(0.0, |before| font.kern(before, glyph)) + font.h_advance(glyph);
        before = Some(glyph);
    }
    f64::from(width)
}

/// The text in lines that are no wider than `width`, broken at spaces; a word wider than that has its own line.
pub(super) fn lines(text: &str, em: f64, bold: bool, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), em, bold) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Draws a text from (`x`, `baseline`): calls `draw` with every pixel that it touches and how much of it is covered.
pub(super) fn draw_text<E>(
    text: &str,
    (x, baseline): (f64, f64),
    em: f64,
    bold: bool,
    mut draw: impl FnMut(i32, i32, f64) -> Result<(), E>,
) -> Result<(), E> {
    let font = face(bold).as_scaled(scale(face(bold), em));
    let mut caret = ab_glyph::point(x as f32, baseline as f32);
    let mut before = None;
    for letter in text.chars() {
        let mut glyph = font.scaled_glyph(letter);
        caret.x += before.map_or(0.0, |before| font.kern(before, glyph.id));
        before = Some(glyph.id);
        glyph.position = caret;
        caret.x += font.h_advance(glyph.id);
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        let mut pixels = Vec::new();
        outline.draw(|px, py, cover| pixels.push((px, py, cover)));
        for (px, py, cover) in pixels {
            draw(corner.x as i32 + px as i32, corner.y as i32 + py as i32, f64::from(cover.min(1.0)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_eighteen_colours_differ_and_none_is_that_of_what_went_wrong() {
        let mut colors: Vec<_> = (0..18).map(nth).chain([WRONG]).collect();
        colors.sort();
        colors.dedup();
        assert_eq!(colors.len(), 19);
    }

    #[test]
    fn the_font_has_every_sign_that_charts_use() {
        for sign in "–…×▽µ·×<>% w1".chars() {
            assert!(face(false).glyph_id(sign).0 != 0 || sign == ' ', "{sign}");
        }
        assert!(text_width("wide", 12.0, true) > text_width("wide", 12.0, false));
    }
}
