#!/usr/bin/env bash
# quamina 0.7.0 (crates.io) forgets the alternatives that stand on the other side of an "exists: false".
#
# Expected: quamina matches JSON events by patterns of the kind that Amazon EventBridge has. Its README says that a field
#   matches if any element of its array does: "y" or an absent field, in either order, matches both the event with "y" and the
#   event without the field.
# Seen (2026-11-28): only the alternative that stands first counts. ["y", {"exists": false}] matches "y" and not the
#   absent field; [{"exists": false}, "y"] matches the absent field and not "y". Nothing is refused, no error is returned.
# Why it hurts: a rule "state is not OK, or there is no state" silently drops half of its events.
#
# Needs: bash, cargo (Rust 1.88 or newer), the crates registry. Takes about 30 s, nearly all of it the build.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
quamina = "=0.7.0"

[profile.dev]
debug = 0
TOML
cat >"$dir/src/main.rs" <<'RUST'
fn main() {
    let patterns = [
        r#"{"state": ["y", {"exists": false}]}"#,
        r#"{"state": [{"exists": false}, "y"]}"#,
        r#"{"state": [{"anything-but": ["x"]}, {"exists": false}]}"#,
        r#"{"state": [{"exists": false}, {"anything-but": ["x"]}]}"#,
    ];
    for pattern in patterns {
        for event in [r#"{"state": "y"}"#, r#"{"other": 1}"#] {
            let mut quamina = quamina::Quamina::new();
            quamina.add_pattern("rule", pattern).expect("quamina takes the pattern");
            let matches = quamina.matches_for_event(event.as_bytes()).expect("quamina reads the event");
            println!("{pattern} on {event}: {}", if matches.is_empty() { "no" } else { "match" });
        }
    }
}
RUST
cargo run --quiet --manifest-path "$dir/Cargo.toml" >"$dir/seen"

echo "quamina 0.7.0. Expected: all eight lines say match. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
{"state": ["y", {"exists": false}]} on {"state": "y"}: match
{"state": ["y", {"exists": false}]} on {"other": 1}: no
{"state": [{"exists": false}, "y"]} on {"state": "y"}: no
{"state": [{"exists": false}, "y"]} on {"other": 1}: match
{"state": [{"anything-but": ["x"]}, {"exists": false}]} on {"state": "y"}: match
{"state": [{"anything-but": ["x"]}, {"exists": false}]} on {"other": 1}: no
{"state": [{"exists": false}, {"anything-but": ["x"]}]} on {"state": "y"}: no
{"state": [{"exists": false}, {"anything-but": ["x"]}]} on {"other": 1}: match
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: of two alternatives only the one that stands first counts once the other is exists: false."
else
  echo "CHANGED: quamina 0.7.0 no longer answers as found on 2026-11-28."
  exit 1
fi
