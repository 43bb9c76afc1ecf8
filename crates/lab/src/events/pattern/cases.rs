//! Every operator that EventBridge documents, with values of our own; what AWS was recorded to answer to such patterns
//! (LocalStack's snapshots of TestEventPattern) is what is expected here.

use serde_json::{Value, json};

use super::Pattern;

fn takes(pattern: &Value, event: &Value) -> bool {
    Pattern::compile(pattern).unwrap_or_else(|refusal| panic!("{pattern}: {refusal}")).matches(event)
}

/// Checks what a list of matchers at `detail.f` takes and leaves.
fn check(matchers: Value, taken: &[Value], left: &[Value]) {
    let pattern = json!({"detail": {"f": matchers}});
    for (values, expected) in [(taken, true), (left, false)] {
        for value in values {
            assert_eq!(takes(&pattern, &json!({"detail": {"f": value}})), expected, "{pattern} and {value}");
        }
    }
}

fn refused(pattern: Value, reason: &str) {
    let refusal = Pattern::compile(&pattern).expect_err(&pattern.to_string());
    assert_eq!(refusal.code, "InvalidEventPatternException");
    assert_eq!(refusal.message, format!("Event pattern is not valid. Reason: {reason}"), "{pattern}");
}

fn refused_member(member: Value, reason: &str) {
    refused(json!({"detail": {"f": [member]}}), reason);
}

#[test]
fn a_literal_takes_the_same_value_and_a_number_the_same_number() {
    check(json!(["a", "b"]), &[json!("a"), json!("b")], &[json!("A"), json!("ab"), json!(""), json!(null)]);
    check(json!([""]), &[json!("")], &[json!(" "), json!(null)]);
    check(json!([7]), &[json!(7), json!(7.0)], &[json!("7"), json!(8)]);
    check(json!([true]), &[json!(true)], &[json!(false), json!("true")]);
    check(json!([null]), &[json!(null)], &[json!("null"), json!([])]);
}

#[test]
fn an_array_is_taken_for_any_of_its_elements() {
    check(json!(["a"]), &[json!(["b", "a"]), json!([["a"]])], &[json!(["b"]), json!([])]);
    let pattern = json!({"l": {"k": ["a"], "v": [1]}});
    assert!(takes(&pattern, &json!({"l": [{"k": "b"}, {"k": "a", "v": 1}]})));
    assert!(!takes(&pattern, &json!({"l": [{"k": "a", "v": 2}, {"k": "b", "v": 1}]})), "both must hold of one element");
    assert!(takes(
        &json!({"a": {"k": ["x"]}, "b": {"v": [1]}}),
        &json!({"a": [{"k": "x"}], "b": [{"v": 0}, {"v": 1}]})
    ));
}

#[test]
fn fields_are_found_by_dotted_paths_and_by_their_exact_names() {
    let nested = json!({"detail": {"state": {"status": "up"}}});
    let dotted = json!({"detail": {"state.status": "up"}});
    for pattern in [json!({"detail": {"state": {"status": ["up"]}}}), json!({"detail": {"state.status": ["up"]}})] {
        assert!(takes(&pattern, &nested) && takes(&pattern, &dotted), "{pattern}");
    }
    assert!(!takes(&json!({"detail": {"state.status": {"status": ["up"]}}}), &nested));
    assert!(!takes(
        &json!({"detail": {"state": {"status": ["up"]}}}),
        &json!({"detail": {"state.status": {"status": "up"}}})
    ));
    assert!(!takes(&json!({"Detail": {"state": {"status": ["up"]}}}), &nested), "names have a case");
    assert!(!takes(&json!({"detail": {"k": ["v"]}}), &json!({"detail": "{\"k\": \"v\"}"})), "a text is no object");
}

#[test]
fn exists_asks_for_a_value_and_its_absence_is_one_choice_among_others() {
    check(json!([{"exists": true}]), &[json!("x"), json!(null), json!(0)], &[json!([]), json!({}), json!({"g": 1})]);
    check(json!([{"exists": false}]), &[json!([]), json!({"g": 1})], &[json!("x"), json!(null)]);
    let or_absent = json!({"detail": {"g": {"f": [{"anything-but": ["x"]}, {"exists": false}]}}});
    for event in
        [json!({}), json!({"detail": {}}), json!({"detail": {"g": {"h": 1}}}), json!({"detail": {"g": {"f": "y"}}})]
    {
        assert!(takes(&or_absent, &event), "{event}");
    }
    assert!(!takes(&or_absent, &json!({"detail": {"g": {"f": "x"}}})));
    refused_member(json!({"exists": "yes"}), "exists match pattern must be either true or false.");
}

#[test]
fn prefixes_and_suffixes_compare_texts_alone() {
    check(
        json!([{"prefix": "ab"}]),
        &[json!("abc"), json!("ab")],
        &[json!("Abc"), json!("cab"), json!(12), json!(null)],
    );
    check(json!([{"prefix": ""}]), &[json!("a"), json!("")], &[json!(1)]);
    check(json!([{"suffix": ".log"}]), &[json!("a.log")], &[json!("a.LOG"), json!("a.log.gz")]);
    check(json!([{"prefix": {"equals-ignore-case": "Ab"}}]), &[json!("aBc")], &[json!("bab")]);
    check(json!([{"suffix": {"equals-ignore-case": ".Log"}}]), &[json!("a.LOG")], &[json!("a.txt")]);
    for operator in ["prefix", "suffix"] {
        let why = format!("{operator} match pattern must be a string");
        for given in [json!(1), json!(["a"]), json!(null), json!({"prefix": "a"}), json!({"equals-ignore-case": 1})] {
            refused_member(json!({operator: given}), &why);
        }
    }
}

#[test]
fn equals_ignore_case_compares_whole_texts() {
    check(json!([{"equals-ignore-case": "Ab"}]), &[json!("aB"), json!(["x", "AB"])], &[json!("abc"), json!(1)]);
    check(json!([{"equals-ignore-case": ""}]), &[json!("")], &[json!("a")]);
    for given in [json!(["a"]), json!({"prefix": "a"}), json!(1)] {
        refused_member(json!({"equals-ignore-case": given}), "equals-ignore-case match pattern must be a string");
    }
}

#[test]
fn a_wildcard_takes_any_text_where_its_stars_are() {
    check(
        json!([{"wildcard": "a*c"}]),
        &[json!("ac"), json!("abbc"), json!("acc")],
        &[json!("acd"), json!("bac"), json!(1)],
    );
    check(json!([{"wildcard": "*"}]), &[json!(""), json!("x")], &[json!(null)]);
    check(json!([{"wildcard": ""}]), &[json!("")], &[json!("x")]);
    check(json!([{"wildcard": r"1\*2*\\"}]), &[json!(r"1*23\")], &[json!(r"1x2\")]);
    check(json!([{"wildcard": "a/*/b/b/b/c"}]), &[json!("a/x/b/b/b/b/c")], &[json!("a/x/b/b/d/c")]);
    refused_member(json!({"wildcard": "ab**"}), "Consecutive wildcard characters at pos 3");
    refused_member(json!({"wildcard": r"ab\c"}), "Invalid escape character at pos 2");
    refused_member(
        json!({"wildcard": "*-*-*-*-*-end"}),
        "Rule is too complex - try using fewer wildcard characters or \
                   fewer repeating character sequences after a wildcard character",
    );
    for given in [json!(1), json!(["a*"])] {
        refused_member(json!({"wildcard": given}), "wildcard match pattern must be a string");
    }
}

#[test]
fn numbers_are_compared_within_their_bounds() {
    check(json!([{"numeric": ["=", 2.5]}]), &[json!(2.5), json!(25e-1)], &[json!(2), json!("2.5"), json!(null)]);
    check(json!([{"numeric": [">", 0, "<=", 5]}]), &[json!(0.1), json!(5)], &[json!(0), json!(5.1)]);
    check(json!([{"numeric": [">=", -1]}]), &[json!(-1.0), json!(3)], &[json!(-2)]);
    check(json!([{"numeric": ["<", 10]}]), &[json!(9)], &[json!(10)]);
    refused_member(json!({"numeric": 10}), "Value of numeric must be an array.");
    refused_member(json!({"numeric": []}), "Invalid member in numeric match");
    refused_member(json!({"numeric": [1, 2]}), "Invalid member in numeric match");
    refused_member(json!({"numeric": [">", 0, ">", 1]}), "Bad numeric range operator: >");
    refused_member(json!({"numeric": ["!", 1]}), "Unrecognized numeric range operator: !");
    refused_member(json!({"numeric": ["=", "1"]}), "Value of = must be numeric");
    refused_member(json!({"numeric": [">", 0, "<"]}), "Value of < must be numeric");
    refused_member(json!({"numeric": [">", 5, "<", 5]}), "Bottom must be less than top");
    refused_member(json!({"numeric": ["<", 5, "<", 6]}), "Too many elements in numeric expression");
    refused_member(json!({"numeric": ["=", 6e9]}), "Value must be between -5.0E9 and 5.0E9, inclusive");
}

#[test]
fn addresses_are_compared_with_networks_of_their_own_version() {
    check(
        json!([{"cidr": "10.1.0.0/16"}]),
        &[json!("10.1.255.0")],
        &[json!("10.2.0.0"), json!("10.1.0.999"), json!(1)],
    );
    let other_spelling = json!("2001:0db8:0:1::2");
    check(json!([{"cidr": "2001:db8:0:1::/64"}]), &[other_spelling], &[json!("2001:db8:0:2::"), json!("10.0.0.1")]);
    check(json!([{"cidr": "0.0.0.0/0"}]), &[json!("1.2.3.4")], &[json!("::1")]);
    refused_member(json!({"cidr": "10.0.0.0"}), "Malformed CIDR, one '/' required");
    refused_member(json!({"cidr": "10.0.0.0/x"}), "Malformed CIDR, mask bits must be an integer");
    refused_member(json!({"cidr": "10.0.z/8"}), "Nonstandard IP address: 10.0.z");
    refused_member(json!({"cidr": ["10.0.0.0/8"]}), "prefix match pattern must be a string");
}

#[test]
fn anything_but_takes_what_is_there_and_is_none_of_these() {
    let odd = [json!(null), json!(1), json!(true)];
    check(json!([{"anything-but": "a"}]), &[json!("b"), json!(["a", "b"])], &[json!("a"), json!(["a"]), json!([])]);
    check(json!([{"anything-but": ["a", "b"]}]), &[json!("c")], &[json!("b")]);
    check(json!([{"anything-but": [1, 2]}]), &[json!(3), json!("1")], &[json!(1.0)]);
    check(json!([{"anything-but": {"prefix": ["a", "b"]}}]), &[json!("ca")], &[json!("ab"), json!("ba")]);
    check(json!([{"anything-but": {"suffix": ".log"}}]), &[json!("a.txt")], &[json!("a.log")]);
    check(json!([{"anything-but": {"equals-ignore-case": ["a", "B"]}}]), &[json!("c")], &[json!("A"), json!("b")]);
    check(json!([{"anything-but": {"wildcard": ["*/a/*", "*/b/*"]}}]), &[json!("a/")], &[json!("x/b/y")]);
    check(json!([{"anything-but": {"wildcard": ""}}]), &[json!("x")], &[json!("")]);
    check(json!([{"anything-but": {"prefix": "a"}}]), &odd, &[json!({"g": 1})]);
    assert!(!takes(&json!({"f": [{"anything-but": "a"}]}), &json!({})), "what is not there is not anything");
    let neither = "Value of anything-but must be an array or single string/number value.";
    refused_member(json!({"anything-but": null}), neither);
    refused_member(json!({"anything-but": {"prefix": {"equals-ignore-case": "a"}}}), neither);
    refused_member(
        json!({"anything-but": ["a", null]}),
        "Inside anything but list, start|null|boolean is not supported.",
    );
    refused_member(json!({"anything-but": {"suffix": ""}}), "Null prefix/suffix not allowed");
    refused_member(json!({"anything-but": {"prefix": ["a", 1]}}), "prefix/suffix match pattern must be a string");
    refused_member(json!({"anything-but": {"wildcard": 1}}), "wildcard match pattern must be a string");
    let no_text = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
    refused_member(json!({"anything-but": {"equals-ignore-case": [1]}}), no_text);
    refused_member(json!({"anything-but": {"numeric": ["=", 1]}}), "Unsupported anything-but pattern: numeric");
}

#[test]
fn or_takes_one_of_its_choices_beside_all_other_fields() {
    let pattern = json!({"source": ["s"], "detail": {"$or": [{"a": [1], "b": [2]}, {"c": [{"exists": false}]}]}});
    assert!(takes(&pattern, &json!({"source": "s", "detail": {"a": 1, "b": 2, "c": 3}})));
    assert!(takes(&pattern, &json!({"source": "s", "detail": {}})));
    assert!(!takes(&pattern, &json!({"source": "s", "detail": {"a": 1, "c": 3}})));
    assert!(!takes(&pattern, &json!({"source": "t", "detail": {}})));
    let nested = json!({"$or": [{"$or": [{"a": ["x"]}, {"a": ["y"]}]}, {"b": ["z"]}]});
    assert!(
        takes(&nested, &json!({"a": "y"})) && takes(&nested, &json!({"b": "z"})) && !takes(&nested, &json!({"a": "z"}))
    );
    refused(json!({"$or": [{"a": ["x"]}]}), "There must have at least 2 Objects in $or relationship.");
    refused(json!({"$or": [{"a": ["x"]}, "b"]}), "Only JSON objects are allowed in array of $or relationship.");
}

#[test]
fn a_malformed_pattern_is_refused_in_eventbridges_words() {
    refused(json!(["a"]), "Filter is not an object");
    refused(json!({}), "Empty objects are not allowed");
    refused(json!({"a": []}), "Empty arrays are not allowed");
    refused(json!({"a": "x"}), "\"a\" must be an object or an array");
    refused(json!({"a": {"b": 1}}), "\"b\" must be an object or an array");
    refused_member(json!({"EXISTS": true}), "Unrecognized match type EXISTS");
    refused_member(json!({"prefix": "a", "suffix": "b"}), "Only one key allowed in match expression");
    refused_member(json!(["x"]), "Match value must be String, number, true, false, or null");
    refused(json!("{'a': 1}"), "this is no JSON, at line: 1, column: 2");
    let many: Vec<Value> = (0..40).map(|n| json!({format!("k{n}"): ["x"]})).collect();
    refused(json!({"a": {"$or": many}, "b": {"$or": many}}), "the pattern has more than 1000 combinations");
}
