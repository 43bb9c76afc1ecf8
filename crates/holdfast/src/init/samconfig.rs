//! Fills in samconfig.toml: what says FILL IN for the one stack, and nothing that a person wrote.

use super::pair::FILL_IN;
use super::parameters::{self, Parameter};

/// The file's name.
pub const FILE: &str = "samconfig.toml";
/// The file as it is shipped.
pub const SHIPPED: &str = include_str!("../../../../samconfig.toml");

const SECTION: &str = "[one-stack.deploy.parameters]";
const LIST: &str = "parameter_overrides = [";
/// The parameters of which one stands for all.
const DATABASES: [&str; 3] = ["AuroraClusters", "RdsInstances", "AuroraGlobalClusters"];
/// What the shipped file says of its own accord: nobody's choice, so a deployed stack's own stands in its place.
const SHIPPED_LINES: [&str; 2] = ["\"Mode=shadow\",", "stack_name = \"holdfast\""];

/// The file with the parameters in it.
///
/// # Errors
/// If it has no settings for the one stack, or nothing in them is to be filled in.
pub fn filled(text: &str, parameters: &[Parameter]) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let begin = lines.iter().position(|line| line.trim() == SECTION);
    let begin = begin.ok_or_else(|| format!("{FILE} has no {SECTION}: it is not Holdfast's"))?;
    let end = lines.iter().skip(begin + 1).position(|line| line.starts_with('['));
    let end = end.map_or(lines.len(), |length| begin + 1 + length);
    let section = &lines[begin..end];
    if !section.iter().any(|line| !line.trim_start().starts_with('#') && line.contains(FILL_IN)) {
        return Err(format!(
            "{FILE} is filled in: nothing in {SECTION} says {FILL_IN}; --force writes it anew, and what you wrote in it is lost"
        ));
    }
    let mut out: Vec<String> = lines[..begin].iter().map(|line| (*line).to_owned()).collect();
    let stack = parameters::stack_name(parameters);
    let mut left: Vec<&Parameter> = parameters.iter().filter(|one| one.value.is_some()).collect();
    let mut in_list = false;
    for line in section {
        in_list |= line.trim() == LIST;
        if in_list && line.trim() == "]" {
            out.extend(left.drain(..).filter(|one| one.name != "region").filter_map(written));
            in_list = false;
        }
        out.extend(match in_list {
            true => in_list_for(line, parameters, &mut left),
            false => Some(setting_for(line, &stack, &mut left)),
        });
    }
    out.extend(lines[end..].iter().map(|line| (*line).to_owned()));
    Ok(out.join("\n") + "\n")
}

fn written(parameter: &Parameter) -> Option<String> {
    let value = parameter.value.as_ref()?;
    Some(format!("  \"{}={}\",", parameter.name, escaped(value)))
}

/// A basic string of TOML.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

fn take<'a>(left: &mut Vec<&'a Parameter>, name: &str) -> Option<&'a Parameter> {
    left.iter().position(|one| one.name == name).map(|at| left.remove(at))
}

/// What stands in the place of a line of the deployment's own settings.
fn setting_for(line: &str, stack: &str, left: &mut Vec<&Parameter>) -> String {
    match line.trim() {
        "region = \"FILL IN\"" => match take(left, "region").and_then(|one| one.value.as_deref()) {
            Some(region) => format!("region = \"{}\"", escaped(region)),
            None => line.to_owned(),
        },
        shipped if shipped.starts_with("stack_name") && SHIPPED_LINES.contains(&shipped) => {
            format!("stack_name = \"{}\"", escaped(stack))
        }
        _ => line.to_owned(),
    }
}

/// What stands in the place of a line of the parameters; nothing if the line goes.
fn in_list_for(line: &str, all: &[Parameter], left: &mut Vec<&Parameter>) -> Option<String> {
    let bare = line.trim().trim_start_matches('#').trim();
    let is_comment = line.trim().starts_with('#');
    let Some((name, value)) = bare.strip_prefix('"').and_then(|bare| bare.split_once('=')) else {
        return Some(line.to_owned());
    };
    let is_open = value.starts_with(FILL_IN);
    // Whatever a person set stands, and is not set twice.
    if !is_open && !is_comment && !SHIPPED_LINES.contains(&bare) {
        take(left, name);
        return Some(line.to_owned());
    }
    if let Some(parameter) = take(left, name) {
        return written(parameter);
    }
    let is_unknown = |name: &str| all.iter().any(|one| one.name == name && one.value.is_none());
    if SHIPPED_LINES.contains(&bare) && is_unknown(name) {
        return Some(format!("  \"{name}={FILL_IN}\","));
    }
    // No databases: the line goes, as the file says. Where they could not be looked at, it stays to be filled in.
    let goes = is_open && DATABASES.contains(&name) && !is_unknown(name);
    (!goes).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&'static str, &str)]) -> Vec<Parameter> {
        let one = |(name, value): &(&'static str, &str)| Parameter {
            name,
            value: Some((*value).to_owned()).filter(|value| !value.is_empty()),
            why: String::new(),
        };
        pairs.iter().map(one).collect()
    }

    const ALL: [(&str, &str); 9] = [
        ("region", "eu-central-1"),
        ("HostedZoneId", "Z1"),
        ("DomainName", "example.com"),
        ("RecordNames", "www.example.com,*.example.com"),
        ("EndpointDomain", "primary.example.com"),
        ("EndpointPath", "/health/deep?a=\"b\""),
        ("RdsInstances", "orders-dr"),
        ("OperatorEmail", "oncall@example.com"),
        ("PrimaryProbeUrl", "https://primary.example.com/health"),
    ];

    fn section(text: &str) -> &str {
        let (_, rest) = text.split_once(SECTION).unwrap();
        rest.split("\n[").next().unwrap()
    }

    #[test]
    fn what_says_fill_in_is_filled_in_and_nothing_else_changes() {
        let text = filled(SHIPPED, &given(&ALL)).unwrap();
        let section = section(&text);
        for line in [
            "region = \"eu-central-1\"",
            "  \"HostedZoneId=Z1\",",
            "  \"RecordNames=www.example.com,*.example.com\",",
            "  \"EndpointPath=/health/deep?a=\\\"b\\\"\",",
            "  \"RdsInstances=orders-dr\",",
            "  \"PrimaryProbeUrl=https://primary.example.com/health\",",
            "  # \"DrProbeUrl=https://app-dr.example.com/health\",",
            "  \"Detection=dr-region\",",
            "  \"Mode=shadow\",",
            "stack_name = \"holdfast\"",
        ] {
            assert!(section.lines().any(|it| it == line), "{line} in {section}");
        }
        assert!(!section.contains(FILL_IN) && !section.contains("\"AuroraClusters="), "{section}");
        let (shipped_head, _) = SHIPPED.split_once(SECTION).unwrap();
        let (_, shipped_tail) = SHIPPED.split_once("[responder.build").unwrap();
        assert!(
            text.starts_with(shipped_head) && text.ends_with(shipped_tail),
            "the other environments are as they were"
        );
    }

    #[test]
    fn what_is_not_known_stays_to_be_filled_in_and_a_persons_own_stands() {
        let unknown = given(&[
            ("region", "eu-central-1"),
            ("AuroraClusters", ""),
            ("OperatorEmail", "a@b.example"),
            ("Mode", ""),
        ]);
        let text = filled(SHIPPED, &unknown).unwrap();
        assert!(text.contains("\"Mode=FILL IN\""), "a stack that could not be looked at may act already: {text}");
        assert!(text.contains("\"AuroraClusters=FILL IN\"") && text.contains("\"HostedZoneId=FILL IN\""));
        let by_hand = text.replacen("\"DomainName=FILL IN\"", "\"DomainName=mine.example\"", 1);
        let again = filled(&by_hand, &given(&ALL)).unwrap();
        let section = section(&again);
        assert!(
            section.contains("DomainName=mine.example") && !section.contains("DomainName=example.com"),
            "{section}"
        );
        assert!(section.contains("a@b.example") && !section.contains("oncall@example.com"), "{section}");
    }

    #[test]
    fn another_workload_gets_a_stack_of_its_own_and_a_stack_that_acts_keeps_its_mode() {
        let more = given(&[&ALL[..], &[("Mode", "automatic"), ("BusName", "shop")]].concat());
        let text = filled(SHIPPED, &more).unwrap();
        let section = section(&text);
        for line in ["stack_name = \"holdfast-shop\"", "  \"BusName=shop\",", "  \"Mode=automatic\","] {
            assert!(section.lines().any(|it| it == line), "{line} in {section}");
        }
        assert_eq!(section.matches("\"Mode=").count(), 1, "{section}");
        // A person's own name of the stack, and choice of the mode, stand.
        let by_hand = SHIPPED.replacen("stack_name = \"holdfast\"", "stack_name = \"dr\"", 1).replacen(
            "\"Mode=shadow\"",
            "\"Mode=approval\"",
            1,
        );
        let kept = filled(&by_hand, &more).unwrap();
        assert!(kept.contains("stack_name = \"dr\"") && kept.contains("\"Mode=approval\""), "{kept}");
        assert!(!kept.contains("Mode=automatic"), "{kept}");
    }

    #[test]
    fn a_file_with_nothing_to_fill_in_or_of_somebody_else_is_refused() {
        let done = filled(SHIPPED, &given(&ALL)).unwrap();
        assert!(filled(&done, &given(&ALL)).unwrap_err().contains("is filled in"));
        assert!(filled("version = 0.1\n", &given(&ALL)).unwrap_err().contains("not Holdfast's"));
    }
}
