//! Charts of one run and over all replications, as SVG and PNG: pure functions of the document, equal byte for byte.
//!
//! Each chart says in its title what is seen in it, names things where they are drawn, and stays readable in print.

mod axis;
mod canvas;
mod ccdf;
mod fidelity;
mod forest;
mod heat;
mod idle;
pub(super) mod lanes;
mod load;
mod over_time;
mod page;
mod pareto;
mod queues;
mod recovery;
mod resources;
mod theme;
mod workers;

use std::path::{Path, PathBuf};

use canvas::Canvas;

use super::comparison::Comparison;
use super::{Document, Error, atomic_write, temporary_beside};

/// What a chart is for: how wide it is against its letters, which are 12 points high.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// 1200 points wide.
    Screen,
    /// 960 points wide, as a slide of 13.3 inches is: its letters have the size of the slide's. PNG files fill 1920 pixels.
    Slide,
    /// 720 points in 170 mm, the text width of a page: letters are 8 points high. PNG files have 320 pixels an inch.
    Print,
}

impl Size {
    fn room(self) -> Room {
        match self {
            Size::Screen => Room { width: 1200.0, height: f64::INFINITY },
            // 540 points of a slide's height, less a second line of the title and of the subtitle.
            Size::Slide => Room { width: 960.0, height: 500.0 },
            Size::Print => Room { width: 720.0, height: f64::INFINITY },
        }
    }
    /// As a CSS length.
    fn physical(self) -> &'static str {
        match self {
            Size::Screen => "1200",
            Size::Slide => "960pt",
            Size::Print => "170mm",
        }
    }
    /// In a PNG file.
    fn pixels_per_point(self) -> f64 {
        match self {
            Size::Screen | Size::Slide => 2.0,
            Size::Print => 3.0,
        }
    }
}

/// The page that a chart is drawn on, in points.
#[derive(Clone, Copy, Debug)]
struct Room {
    width: f64,
    /// No chart is higher whose height is not that of a list.
    height: f64,
}

impl Room {
    /// The height of a picture that would be `wanted` high, with so much above and below it.
    fn high(self, wanted: f64, around: f64) -> f64 {
        wanted.min(self.height - around)
    }
}

/// Which kinds of files are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Formats {
    /// Vector graphics.
    pub svg: bool,
    /// Pixels.
    pub png: bool,
    /// What for.
    pub size: Size,
}

impl Formats {
    /// Whether charts are drawn at all.
    pub fn any(self) -> bool {
        self.svg || self.png
    }
}

impl Formats {
    /// Both kinds.
    pub const ALL: Formats = Formats { svg: true, png: true, size: Size::Screen };
    /// No charts.
    pub const NONE: Formats = Formats { svg: false, png: false, size: Size::Screen };
}

/// A chart: the name of its file without extension, and its picture, where the document holds the data for it.
type Chart = (&'static str, fn(&Document, Room) -> Option<Canvas>);

/// Every chart; a new one is one file and one line here.
const CHARTS: &[Chart] = &[
    ("timeline-workers", workers::draw),
    ("timeline-queues", queues::draw),
    ("over-time", over_time::draw),
    ("idle", idle::draw),
    ("orphan-recovery", recovery::draw),
    ("hot-resources", resources::draw),
    ("fidelity", fidelity::draw),
];

/// A chart of a comparison.
type ComparisonChart = (&'static str, fn(&Comparison, Room) -> Option<Canvas>);

/// Every chart of a comparison; a new one is one file and one line here.
const COMPARISON_CHARTS: &[ComparisonChart] = &[
    ("differences", forest::draw),
    ("wait-ccdf", ccdf::draw),
    ("pareto", pareto::draw),
    ("heat", heat::draw),
    ("load", load::draw),
];

/// The names of the files of all charts, without extensions.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHARTS.iter().map(|(name, _)| *name).chain(COMPARISON_CHARTS.iter().map(|(name, _)| *name))
}

/// Writes every chart for which there is data into `dir`, and returns the paths in order.
///
/// # Errors
/// When a file cannot be written or a picture cannot be encoded.
pub fn write_charts(doc: &Document, dir: &Path, formats: Formats) -> Result<Vec<PathBuf>, Error> {
    write_all(CHARTS.iter().map(|(name, draw)| (*name, || draw(doc, formats.size.room()))), dir, formats)
}

/// Writes every chart of a comparison for which there is data into `dir`, and returns the paths in order.
///
/// # Errors
/// When a file cannot be written or a picture cannot be encoded.
pub fn write_comparison_charts(comparison: &Comparison, dir: &Path, formats: Formats) -> Result<Vec<PathBuf>, Error> {
    write_all(
        COMPARISON_CHARTS.iter().map(|(name, draw)| (*name, || draw(comparison, formats.size.room()))),
        dir,
        formats,
    )
}

fn write_all<D: FnOnce() -> Option<Canvas>>(
    charts: impl Iterator<Item = (&'static str, D)>,
    dir: &Path,
    formats: Formats,
) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    if !formats.any() {
        return Ok(paths);
    }
    for (name, draw) in charts {
        let Some(canvas) = draw() else { continue };
        if formats.svg {
            let path = dir.join(format!("{name}.svg"));
            let text =
                canvas.svg(formats.size.physical()).map_err(|reason| Error::Draw { path: path.clone(), reason })?;
            atomic_write(&path, text.as_bytes())?;
            paths.push(path);
        }
        if formats.png {
            let path = dir.join(format!("{name}.png"));
            write_png(&canvas, &path, formats.size.pixels_per_point())?;
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Charts in reports: with a screen's letters they fill a page of 1080 pixels, and are readable on
/// a small one.
const IN_PAGES: Room = Room { width: 960.0, height: f64::INFINITY };

/// A chart for a report that holds pictures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// What is seen, one sentence.
    pub caption: String,
    /// Where it comes from.
    pub origin: String,
    /// The SVG document without these two.
    pub svg: String,
}

/// Every chart for which there is data.
///
/// # Errors
/// When a picture cannot be drawn.
pub fn svg_charts(doc: &Document) -> Result<Vec<Picture>, Error> {
    pictures(CHARTS.iter().filter_map(|(name, draw)| Some((*name, draw(doc, IN_PAGES)?))))
}

/// Every chart of a comparison for which there is data.
///
/// # Errors
/// When a picture cannot be drawn.
pub fn svg_comparison_charts(comparison: &Comparison) -> Result<Vec<Picture>, Error> {
    pictures(COMPARISON_CHARTS.iter().filter_map(|(name, draw)| Some((*name, draw(comparison, IN_PAGES)?))))
}

fn pictures(drawn: impl Iterator<Item = (&'static str, Canvas)>) -> Result<Vec<Picture>, Error> {
    let svg = |(name, canvas): (&'static str, Canvas)| {
        let failed = |reason| Error::Draw { path: PathBuf::from(format!("{name}.svg")), reason };
        let (caption, origin) = canvas.titles();
        Ok(Picture {
            caption: caption.to_owned(),
            origin: origin.to_owned(),
            svg: canvas.untitled_svg().map_err(failed)?,
        })
    };
    drawn.map(svg).collect()
}

/// The encoder writes to a path, so that the temporary file is made first and renamed afterwards.
fn write_png(canvas: &Canvas, path: &Path, fine: f64) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_path_buf(), source };
    let file = temporary_beside(path).map_err(failed)?;
    canvas.png(file.path(), fine).map_err(|reason| Error::Draw { path: path.to_path_buf(), reason })?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const SIZES: [Size; 3] = [Size::Screen, Size::Slide, Size::Print];

    #[test]
    fn every_chart_is_written_in_both_formats_with_equal_bytes() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let doc = Document { replayed: Some(sample::replayed()), ..sample::document() };
        let paths = write_charts(&doc, one.path(), Formats::ALL).unwrap();
        assert_eq!(paths.len(), 2 * CHARTS.len());
        write_charts(&doc, two.path(), Formats::ALL).unwrap();
        for path in paths {
            let bytes = std::fs::read(&path).unwrap();
            assert!(bytes.len() > 1_000, "{}", path.display());
            assert!(bytes == std::fs::read(two.path().join(path.file_name().unwrap())).unwrap(), "{}", path.display());
        }
    }

    #[test]
    fn no_text_is_cut_or_stands_over_another() {
        let replay = Document { replayed: Some(sample::replayed()), ..sample::document() };
        for doc in [replay, sample::long_document(), sample::still_document()] {
            for (name, draw) in CHARTS {
                for room in SIZES.map(Size::room) {
                    let Some(canvas) = draw(&doc, room) else { continue };
                    assert!(canvas.unreadable().is_empty(), "{name} in {room:?}: {:#?}", canvas.unreadable());
                    let is_list = name.starts_with("timeline");
                    assert!(is_list || canvas.full_height() <= room.height + 40.0, "{name}: {}", canvas.full_height());
                }
            }
        }
    }

    #[test]
    fn every_chart_of_a_comparison_is_written_and_readable() {
        let dir = tempfile::tempdir().unwrap();
        let paths = write_comparison_charts(&sample::sweep(), dir.path(), Formats::ALL).unwrap();
        assert_eq!(paths.len(), 2 * COMPARISON_CHARTS.len());
        for comparison in [sample::comparison(), sample::sweep()] {
            for (name, draw) in COMPARISON_CHARTS {
                for room in SIZES.map(Size::room) {
                    let Some(canvas) = draw(&comparison, room) else { continue };
                    assert!(canvas.unreadable().is_empty(), "{name} in {room:?}: {:#?}", canvas.unreadable());
                    let is_list = *name == "differences";
                    assert!(is_list || canvas.full_height() <= room.height + 40.0, "{name}: {}", canvas.full_height());
                }
            }
        }
    }

    #[test]
    fn a_chart_is_as_wide_as_what_it_is_for() {
        for (size, width) in SIZES.into_iter().zip(["width=\"1200\"", "width=\"960pt\"", "width=\"170mm\""]) {
            let dir = tempfile::tempdir().unwrap();
            let paths =
                write_charts(&sample::document(), dir.path(), Formats { size, png: false, ..Formats::ALL }).unwrap();
            let svg = std::fs::read_to_string(&paths[0]).unwrap();
            assert!(svg.contains(width), "{size:?}: {}", &svg[..200]);
        }
    }

    #[test]
    fn a_document_without_data_has_no_charts() {
        let dir = tempfile::tempdir().unwrap();
        assert!(write_charts(&sample::empty_document(), dir.path(), Formats::ALL).unwrap().is_empty());
    }
}
