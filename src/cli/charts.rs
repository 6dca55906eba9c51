//! `--charts` and `--chart-size`, the same for every verb that draws.

use clap::{Args, ValueEnum};

use super::exit::Failure;
use crate::report::charts::{Formats, Size};

#[derive(Clone, Args, Debug)]
pub(super) struct Charts {
    /// The kinds of charts to draw: `svg`, `png` or `none`.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "svg,png", value_name = "KINDS")]
    charts: Vec<Kind>,
    /// What they are for: how large their letters are against the picture.
    #[arg(long, value_enum, default_value = "screen", value_name = "SIZE")]
    chart_size: For,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Kind {
    Svg,
    Png,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum For {
    /// 1200 points wide.
    Screen,
    /// 960 points, the width of a slide; PNG files of 1920 pixels.
    Slide,
    /// 170 mm, the text width of a page; PNG files of 2160 pixels.
    Print,
}

impl Charts {
    /// What is asked for.
    pub(super) fn formats(&self) -> Result<Formats, Failure> {
        let has = |kind| self.charts.contains(&kind);
        if has(Kind::None) && self.charts.len() > 1 {
            return Err(Failure::usage("error: `--charts none` goes with no other kind"));
        }
        let size = match self.chart_size {
            For::Screen => Size::Screen,
            For::Slide => Size::Slide,
            For::Print => Size::Print,
        };
        Ok(Formats { svg: has(Kind::Svg), png: has(Kind::Png), size })
    }
}
