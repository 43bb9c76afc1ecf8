//! CloudFormation's YAML: short tags become the long forms, the rest is plain data.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::DeployError;

/// Functions that have a short form `!Name` for `Fn::Name`.
const FUNCTIONS: [&str; 10] = ["And", "Equals", "FindInMap", "If", "Join", "Not", "Or", "Select", "Split", "Sub"];

/// A template as data.
///
/// # Errors
/// If it is not the YAML of a template.
pub fn parse(text: &str) -> Result<Value, DeployError> {
    let documents = Yaml::load_from_str(text).map_err(|error| DeployError::Yaml(error.to_string()))?;
    match documents.as_slice() {
        [document] => value(document),
        other => Err(DeployError::Yaml(format!("{} documents where one is expected", other.len()))),
    }
}

fn value(node: &Yaml) -> Result<Value, DeployError> {
    match node {
        Yaml::Value(scalar) => Ok(self::scalar(scalar)),
        Yaml::Sequence(items) => items.iter().map(value).collect::<Result<Vec<_>, _>>().map(Value::Array),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (name, entry) in entries {
                let name = match value(name)? {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                object.insert(name, value(entry)?);
            }
            Ok(Value::Object(object))
        }
        Yaml::Tagged(tag, node) => tagged(&tag.suffix, value(node)?),
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            Err(DeployError::Yaml(format!("not a value: {node:?}")))
        }
    }
}

fn scalar(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => json!(value),
        Scalar::Integer(value) => json!(value),
        Scalar::FloatingPoint(value) => json!(value.into_inner()),
        Scalar::String(value) => json!(value),
    }
}

fn tagged(tag: &str, value: Value) -> Result<Value, DeployError> {
    match tag {
        "Ref" | "Condition" => Ok(json!({tag: value})),
        "GetAtt" => Ok(json!({"Fn::GetAtt": value})),
        function if FUNCTIONS.contains(&function) => Ok(json!({format!("Fn::{function}"): value})),
        other => Err(DeployError::Yaml(format!("the lab does not know the tag !{other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_long_forms_at_any_depth() {
        let text = "
A: !Ref Name
B: !Sub '${A}-x'
C: !Join [',', [!GetAtt Q.Arn, !Sub ['${x}', {x: !Ref Y}]]]
D: !If [Cond, 1, !Ref AWS::NoValue]
E: !Not [!Condition Other]
";
        let expected = json!({
            "A": {"Ref": "Name"},
            "B": {"Fn::Sub": "${A}-x"},
            "C": {"Fn::Join": [",", [{"Fn::GetAtt": "Q.Arn"}, {"Fn::Sub": ["${x}", {"x": {"Ref": "Y"}}]}]]},
            "D": {"Fn::If": ["Cond", 1, {"Ref": "AWS::NoValue"}]},
            "E": {"Fn::Not": [{"Condition": "Other"}]},
        });
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn scalars_keep_their_types_and_dates_stay_text() {
        let parsed = parse("{a: 60, b: '60', c: true, d: 2010-09-09, e: 1.5, f: yes, g: null}").unwrap();
        assert_eq!(parsed, json!({"a": 60, "b": "60", "c": true, "d": "2010-09-09", "e": 1.5, "f": "yes", "g": null}));
    }

    #[test]
    fn unknown_tags_and_broken_text_are_refused() {
        assert!(parse("a: !ImportValue x").unwrap_err().to_string().contains("ImportValue"));
        assert!(parse("a: [").is_err());
    }
}
