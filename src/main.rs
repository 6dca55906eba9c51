//! The program: everything is in [`lanekeeper::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    lanekeeper::cli::main()
}
