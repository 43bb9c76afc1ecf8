//! Who imports whom within a crate: a module, with the files of its own folder, can be read after those that it imports. What a crate's root
//! names for all is the root's own. In the lab it also counts as an import that a service reads another's state, as in `lab.sqs`.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that each module imports.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

const CRATES: [&str; 13] = [
    "failover",
    "aws",
    "alarm-handler",
    "replica-promoter",
    "fencer",
    "preparer",
    "notifier",
    "observer",
    "readiness",
    "holdfast",
    "drill",
    "report",
    "lab",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The text of each source of a crate.
pub(crate) fn texts(package: &str) -> Vec<String> {
    let paths = sources(&source_of(package));
    paths.iter().map(|path| fs::read_to_string(path).expect("a source can be read")).collect()
}

fn source_of(package: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(package).join("src")
}

/// What is compiled into the crate: neither comments nor the tests at a file's end.
fn code(text: &str) -> String {
    let shipped = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    shipped.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The first word of each path that follows `crate::`, also of each in `crate::{…}`.
fn named(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut words = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        let Some(group) = path.strip_prefix('{') else {
            words.insert(word(path));
            continue;
        };
        let mut depth = 0_usize;
        for part in group.split_inclusive([',', '{', '}']) {
            if depth == 0 && part.len() > 1 {
                words.insert(word(part.trim_start()));
            }
            match part.chars().last() {
                Some('{') => depth += 1,
                Some('}') if depth == 0 => break,
                Some('}') => depth -= 1,
                _ => {}
            }
        }
    }
    words
}

/// The module whose state each field of the lab is: `pub sqs: sqs::Sqs` in the root.
fn states(root: &str) -> BTreeMap<String, String> {
    let fields = root.split("pub struct Lab {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or_default();
    let field = |line: &str| {
        let (name, kind) = line.trim().strip_prefix("pub ")?.split_once(": ")?;
        Some((name.to_owned(), kind.split_once("::")?.0.to_owned()))
    };
    fields.lines().filter_map(field).collect()
}

/// The fields that code reads of a lab: each word after `lab.`, on the same line or the next.
fn read_of_lab(code: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let fields = code.match_indices("lab").filter_map(|(at, lab)| {
        let is_whole = !code[..at].ends_with(is_word);
        let field = code[at + lab.len()..].trim_start().strip_prefix('.')?.trim_start();
        is_whole.then(|| field.chars().take_while(|c| is_word(*c)).collect())
    });
    fields.collect()
}

/// By the `crate::` paths in each module's files. A program beside the library (`bin`) and files of tests are no part of it.
pub(crate) fn imports(package: &str) -> Imports {
    let source = source_of(package);
    let states = states(&fs::read_to_string(source.join("lib.rs")).unwrap_or_default());
    let mut imports = Imports::new();
    for path in sources(&source) {
        let inside = path.strip_prefix(&source).expect("a source of this crate").with_extension("");
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if parts[0] == "bin" || parts.iter().any(|part| part == "tests") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source can be read");
        let code = code(&text);
        let read = read_of_lab(&code).into_iter().filter_map(|field| states.get(&field).cloned());
        imports.entry(parts[0].clone()).or_default().extend(named(&code).into_iter().chain(read));
    }
    let modules: BTreeSet<_> = imports.keys().cloned().collect();
    imports.iter_mut().for_each(|(module, all)| all.retain(|other| other != module && modules.contains(other)));
    imports
}

/// True if one leads to the other.
fn leads(imports: &Imports, from: &str, to: &str) -> bool {
    let (mut known, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        let fresh = imports.get(module).into_iter().flatten().filter(|other| known.insert(other.as_str()));
        next.extend(fresh.map(String::as_str));
    }
    known.contains(to)
}

/// The imports that close a circle.
fn circular(imports: &Imports) -> Vec<(&str, &str)> {
    let all = imports.iter().flat_map(|(from, all)| all.iter().map(|to| (from.as_str(), to.as_str())));
    all.filter(|(from, to)| leads(imports, to, from)).collect()
}

#[test]
fn modules_import_each_other_in_no_circle() {
    for package in CRATES {
        let whole = imports(package);
        assert!(whole.len() > 1, "{package} is not found");
        assert_eq!(circular(&whole), [], "{package} has a circle of modules: move what both need below them");
    }
}

#[test]
fn a_circle_is_seen_through_groups_and_through_a_third() {
    let code = code(
        "use crate::{b, c::{d, e}, f};\n// crate::comment\nfn x() { crate::g::h() }\n\n#[cfg(test)]\nmod tests {\n use crate::t;\n}",
    );
    assert_eq!(named(&code), ["b", "c", "f", "g"].map(str::to_owned).into());
    let to = |modules: &[&str]| modules.iter().map(|&module| module.to_owned()).collect();
    let imports: Imports =
        [("a".to_owned(), to(&["b"])), ("b".to_owned(), to(&["c"])), ("c".to_owned(), to(&["a"]))].into();
    assert_eq!(circular(&imports), [("a", "b"), ("b", "c"), ("c", "a")]);
}

#[test]
fn a_service_that_reads_another_s_state_imports_it() {
    let states = states(
        "pub struct Lab {\n    /// Lab time.\n    pub clock: Clock,\n    /// Queues.\n    pub sqs: sqs::Sqs,\n}\n",
    );
    assert_eq!(states, [("sqs".to_owned(), "sqs".to_owned())].into());
    let read = read_of_lab("site.lab.sites.x; self.lab\n    .sqs.y(); slab.no; lab::path; collab.no");
    assert_eq!(read, ["sites", "sqs"].map(str::to_owned).into());
}
