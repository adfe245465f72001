//! `npm run sim -- --cluster`: runs the experiments that are named (all, if none is), prints what they found, and fails if a pass line does
//! not hold. It contains no experiment.

use std::process::ExitCode;

use bowline_support::cluster::{Size, EXPERIMENTS};

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let (sizes, names): (Vec<&str>, Vec<&str>) =
        wanted.iter().map(String::as_str).partition(|word| word.starts_with("--"));
    let size = match sizes.as_slice() {
        [] => Size::Usual,
        ["--full"] => Size::Full,
        ["--short"] => Size::Short,
        other => {
            eprintln!("sim: --full or --short, not {other:?}");
            return ExitCode::from(2);
        }
    };
    if let Some(unknown) = names.iter().find(|name| EXPERIMENTS.iter().all(|(known, _)| known != *name)) {
        let known: Vec<&str> = EXPERIMENTS.iter().map(|(name, _)| *name).collect();
        eprintln!("sim: no experiment is named {unknown}; there are {}", known.join(", "));
        return ExitCode::from(2);
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, experiment) in EXPERIMENTS {
        if names.is_empty() || names.contains(name) {
            let report = experiment(size);
            println!("{report}");
            passed += report.passed();
            failed += report.failures().len();
        }
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}
