//! The layers of the core, read off its own sources: who may name whom, how long a file may be, and that no wasm crate is near. The rule:
//! leaves (`time`, `rng`, `ids`) name nobody; `wire` and what is made of it (`error`, `config`) name leaves; policies name leaves,
//! settings and a few value types of `wire`; `io` is the vocabulary of all that; `link` stands on these, and `engine` on everything.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a module may name.
const MAY_NAME: [(&str, &[&str]); 13] = [
    ("time", &[]),
    ("rng", &[]),
    ("ids", &[]),
    ("wire", &["time", "ids"]),
    ("error", &["time", "wire"]),
    ("config", &["time", "wire"]),
    ("telemetry", &["time", "wire"]),
    ("policy", &["time", "rng", "ids", "config", "wire"]),
    ("io", &["time", "ids", "wire", "error", "config", "link", "policy"]),
    ("link", &["time", "rng", "ids", "wire", "error", "config", "policy", "io"]),
    ("engine", &["time", "rng", "ids", "wire", "error", "config", "policy", "io", "link", "telemetry"]),
    ("cluster", &["time", "rng", "error", "config", "policy", "telemetry"]),
    (
        "lib",
        &["cluster", "config", "engine", "error", "ids", "io", "link", "policy", "rng", "telemetry", "time", "wire"],
    ),
];

/// Where only value types may be named: data that decides nothing, so that no arrow of behaviour points the wrong way.
const ONLY_VALUES: [(&str, &str, &[&str]); 7] = [
    ("policy", "wire", &["Effect", "Era", "Hint", "Method"]),
    ("telemetry", "wire", &["Method"]),
    ("error", "wire", &["Malformed"]),
    ("config", "wire", &["Era", "Versions"]),
    ("io", "config", &["RateLimit"]),
    ("io", "policy", &["BreakerState"]),
    ("io", "link", &["Cause", "Reason", "State", "Transport"]),
];

const LIMIT: usize = 500;
const ENGINE_LIMIT: usize = 600;

#[test]
fn arrows_point_downward_only() {
    for (module, path, text) in core_sources() {
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == module) else {
            panic!("{} is in no layer: say in this test where it belongs", path.display());
        };
        for (other, names) in mentions(&text) {
            assert!(
                other == module || allowed.contains(&other.as_str()),
                "{} names crate::{other}, which is not below {module}",
                path.display()
            );
            let values = ONLY_VALUES.iter().find(|(from, to, _)| (*from, *to) == (module.as_str(), other.as_str()));
            if let Some((_, _, values)) = values {
                let foreign: Vec<&String> = names.iter().filter(|name| !values.contains(&name.as_str())).collect();
                assert!(
                    foreign.is_empty(),
                    "{} takes {foreign:?} from {other}: only {values:?} are values",
                    path.display()
                );
            }
        }
        assert!(!text.contains("super::super"), "{} climbs out of its module sideways", path.display());
    }
}

#[test]
fn no_policy_names_another() {
    let policies: Vec<_> = core_sources().into_iter().filter(|(module, ..)| module == "policy").collect();
    let names: Vec<String> =
        policies.iter().filter_map(|(_, path, _)| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    assert!(names.len() > 5, "the policies were not found");
    for (_, path, text) in &policies {
        for other in &names {
            let named = text.contains(&format!("super::{other}")) || text.contains(&format!("policy::{other}"));
            assert!(!named, "{} names {other}: one policy, one file", path.display());
        }
    }
}

#[test]
fn the_test_sees_the_arrows_that_there_are() {
    let text =
        "use crate::wire::{Era, Hint};\nuse crate::time::Duration;\nlet x: crate::link::Call<P>;\nuse crate::ids;";
    let found = mentions(text);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        found,
        [
            ("wire".to_owned(), names(&["Era", "Hint"])),
            ("time".to_owned(), names(&["Duration"])),
            ("link".to_owned(), names(&["Call"])),
            ("ids".to_owned(), names(&[])),
        ]
    );
    assert!(core_sources().iter().map(|(_, _, text)| mentions(text).len()).sum::<usize>() > 50);
}

#[test]
fn no_source_file_is_longer_than_its_limit() {
    let mut seen = 0;
    for path in files(&root().join("..")) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let limit = if path.ends_with("core/engine.rs") { ENGINE_LIMIT } else { LIMIT };
        let lines = text.lines().count();
        assert!(lines <= limit, "{} has {lines} lines of {limit}", path.display());
        seen += 1;
    }
    assert!(seen > 20, "the sources were not found");
}

#[test]
fn every_file_says_what_it_is() {
    for (_, path, text) in core_sources() {
        assert!(text.starts_with("//! "), "{} begins without a word about itself", path.display());
    }
}

#[test]
fn the_core_depends_on_no_wasm_crate() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap_or_default();
    let (mut dependencies, mut inside) = (Vec::new(), false);
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            inside = section.contains("dependencies");
        } else if inside {
            dependencies.extend(line.split(['=', '.']).next().map(str::trim).filter(|name| !name.is_empty()));
        }
    }
    assert_eq!(dependencies, ["lru", "proptest", "bowline-support"], "the core decides; it touches no platform");
}

/// All sources of the core: module, path, text.
fn core_sources() -> Vec<(String, PathBuf, String)> {
    let sources: Vec<_> = files(&root())
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(root()).unwrap_or(&path);
            let first = inside.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
            let module = first.unwrap_or_default().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap_or_default();
            (module, path, text)
        })
        .collect();
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

/// What a source names of its own crate: the module, and what of it.
fn mentions(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    text.split("crate::")
        .skip(1)
        .map(|rest| {
            let module = word(rest);
            let after = rest.get(module.len()..).and_then(|rest| rest.strip_prefix("::")).unwrap_or_default();
            let names = match after.strip_prefix('{') {
                Some(list) => {
                    list.split('}').next().unwrap_or_default().split(',').map(|name| word(name.trim())).collect()
                }
                None => vec![word(after)],
            };
            (module, names.into_iter().filter(|name| !name.is_empty()).collect())
        })
        .collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(under: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(under).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "js" || kind == "ts") {
            found.push(path);
        }
    }
    found.sort();
    found
}
