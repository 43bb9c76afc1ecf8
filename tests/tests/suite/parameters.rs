//! docs/deploying.md lists every parameter of the templates as they say it themselves.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeSet;

use drill::lambdas::repository;
use lab::template;
use serde_json::Value;

const PAGE: &str = "docs/deploying.md";
/// Set, it lets the test write the tables into the page.
const WRITE: &str = "HOLDFAST_WRITE_PAGES";

/// A table for each group of parameters, in the order in which CloudFormation's console shows them.
fn tables(file: &str) -> String {
    let text = std::fs::read_to_string(repository().join(file)).expect("the template is there");
    let template = template::parse(&text).expect("it is a template");
    let parameters = template["Parameters"].as_object().expect("it has parameters");
    let groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array();
    let mut grouped = BTreeSet::new();
    let mut tables = String::new();
    for group in groups.expect("its parameters are in groups") {
        tables += &format!(
            "\n**{}**\n\n| parameter | default | says |\n|---|---|---|\n",
            text_of(&group["Label"]["default"])
        );
        for name in group["Parameters"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let says = &parameters.get(name).unwrap_or_else(|| panic!("{file}: there is no parameter {name}"));
            let description = text_of(&says["Description"]).replace('|', "\\|").replace('*', "\\*");
            tables += &format!("| `{name}` | {} | {description} |\n", default(&says["Default"]));
            assert!(grouped.insert(name), "{file}: {name} is in two groups");
        }
    }
    assert_eq!(grouped, parameters.keys().map(String::as_str).collect(), "{file}: parameters and their groups");
    tables + "\n"
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn default(value: &Value) -> String {
    match value {
        Value::Null => "required".to_owned(),
        Value::String(nothing) if nothing.is_empty() => "none".to_owned(),
        value => format!("`{}`", text_of(value)),
    }
}

#[test]
fn the_page_lists_every_parameter_of_the_templates() {
    let path = repository().join(PAGE);
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let mut wanted = page.clone();
    for file in ["template.yaml", "detector.yaml", "records.yaml"] {
        let (begin, end) = (format!("<!-- parameters of {file} -->\n"), format!("<!-- end of {file} -->"));
        let (before, rest) = wanted.split_once(&begin).expect("the page says where the table begins");
        let (_, after) = rest.split_once(&end).expect("the page says where the table ends");
        wanted = format!("{before}{begin}{}{end}{after}", tables(file));
    }
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(path, wanted).expect("the page can be written");
    } else {
        assert!(
            page == wanted,
            "{PAGE} lists other parameters than the templates have; {WRITE}=1 cargo test -p tests parameters writes them"
        );
    }
}
