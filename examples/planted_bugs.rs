//! The program with an engine for each planted bug of `tests/sabotage`, so that bugs which are known can be hunted,
//! shrunk and explained from the command line:
//!
//! ```text
//! cargo run --release --example planted_bugs                        lists them
//! cargo run --release --example planted_bugs -- scene NAME > a.yaml writes where one is looked for
//! cargo run --release --example planted_bugs -- hunt a.yaml --seeds 20 -o found
//! ```

#[path = "../tests/sabotage/mod.rs"]
mod sabotage;

use std::process::ExitCode;
use std::sync::Arc;

use lanekeeper::engine::spec::QueueFirstSpec;
use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::registry::Registry;
use lanekeeper::scenario::write::yaml;
use sabotage::scenes::written_scene;
use sabotage::table::TABLE;
use sabotage::{Row, Saboteur};

/// A bug as the name of an engine.
fn name(row: &Row) -> String {
    row.bug.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

/// The scenario in which a bug is looked for, with its engine.
fn scene(row: &Row) -> Result<String, serde_json::Error> {
    let mut file = written_scene(row.scene).file;
    let EngineSpec::QueueFirst(spec) = &file.engine else { unreachable!("bugs are planted in queue_first") };
    let options = serde_json::to_value(spec)?;
    file.engine = EngineSpec::Custom { name: name(row), options };
    file.name = name(row);
    Ok(yaml(&file.document()))
}

fn main() -> ExitCode {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    match typed.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => TABLE.iter().for_each(|row| println!("{:60} {}", name(row), row.property)),
        ["scene", wanted] => match TABLE.iter().find(|row| name(row) == wanted).map(scene) {
            Some(Ok(text)) => print!("{text}"),
            Some(Err(_)) | None => {
                eprintln!("no bug `{wanted}`: without arguments this program lists them");
                return ExitCode::from(2);
            }
        },
        _ => {
            let registry = TABLE.iter().fold(Registry::new(), |registry, row| {
                let plant = row.plant;
                let maker = move |options: &serde_json::Value| {
                    let spec: QueueFirstSpec =
                        serde_json::from_value(options.clone()).map_err(|wrong| wrong.to_string())?;
                    Ok(Arc::new(Saboteur::new(&spec, plant)) as Arc<dyn EngineFactory>)
                };
                registry.engine(&name(row), Arc::new(maker))
            });
            return lanekeeper::cli::main_with(&registry);
        }
    }
    ExitCode::SUCCESS
}
