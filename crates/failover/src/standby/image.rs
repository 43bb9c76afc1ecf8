//! Images of instances, each region's in a parameter of Parameter Store from which its launch template takes it (`resolve:ssm:NAME`).
//!
//! An id says nothing of an image's age, and DR's copy has another. When each region's was set does: `PutParameter` comes once a release.

use super::copies::{Parameter, Put};
use super::{Judgement, Limits, Look, Row, Subject, not_ready, ready, told};

/// A parameter that names an image, in one region at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image(Parameter);

impl Image {
    /// Nothing if neither region is known to hold it to be an image.
    #[must_use]
    pub fn of(parameter: &Parameter) -> Option<Self> {
        let is_image = |put: &Look<Option<Put>>| matches!(put, Ok(Some(put)) if put.is_image());
        (is_image(&parameter.dr) || is_image(&parameter.primary)).then(|| Self(parameter.clone()))
    }
}

impl Subject for Image {
    const ROWS: &'static [Row<Self>] = &[Row {
        id: "image",
        must_be: "DR's parameter of the image is of data type aws:ec2:image, so that the image is there, and was set no more than \
                  image_hours_max (2) hours before the primary's",
        how: "ssm DescribeParameters in both regions, DataType and LastModifiedDate",
        otherwise: "let Holdfast describe parameters in both regions (docs/policies/readiness.json); the image's id is never read; while the \
                    primary region is silent this stays unknown",
        judge: |it, limits| is_as_new(&it.0, limits),
    }];

    fn about(&self) -> String {
        format!("image in {}", self.0.name)
    }
}

fn is_as_new(it: &Parameter, limits: &Limits) -> Judgement {
    let Some(dr) = it.dr.as_ref().map_err(Clone::clone)? else {
        return not_ready("is not in DR", it.put("String"));
    };
    let data_type = told(dr.data_type.as_ref(), "of which data type DR's is")?;
    if !dr.is_image() {
        // "You can't change a parameter to or from" it (Systems Manager user guide, "Parameter data types").
        return not_ready(
            format!("is of data type {data_type} in DR: nobody looked whether the image is there"),
            it.put_anew("String"),
        );
    }
    let dr = told(dr.set_at.as_ref(), "when DR's was set")?;
    let primary = it.primary.as_ref().map_err(Clone::clone)?.as_ref();
    let primary = primary.ok_or("the primary region has no such parameter")?;
    let primary = told(primary.set_at.as_ref(), "when the primary's was set")?;
    let seen = format!("DR's was set {dr:.0}, the primary's {primary:.0}");
    match primary.as_second() - dr.as_second() > i64::from(limits.image_hours_max) * 3_600 {
        true => not_ready(
            seen,
            format!("take the primary's image to DR (aws ec2 copy-image); then {} --overwrite", it.put("String")),
        ),
        false => ready(seen),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::Verdict::{NotKnown, NotReady, Ready};
    use super::super::copies::IMAGE;
    use super::super::tests::{expect, of_row};
    use super::*;

    const PRIMARY: i64 = 1_800_000_000;
    const HOURS: i64 = 3_600;

    fn put(data_type: Option<&str>, set_at: Option<i64>) -> Look<Option<Put>> {
        let set_at = set_at.map(|second| Timestamp::from_second(second).unwrap());
        Ok(Some(Put { kind: Some("String".to_owned()), data_type: data_type.map(str::to_owned), set_at }))
    }

    fn parameter(dr: Look<Option<Put>>, primary: Look<Option<Put>>) -> Parameter {
        Parameter { name: "/shop/image".to_owned(), dr_region: "eu-central-1".to_owned(), dr, primary }
    }

    fn primary() -> Look<Option<Put>> {
        put(Some(IMAGE), Some(PRIMARY))
    }

    #[test]
    fn an_image_must_be_there_and_as_new_as_the_primarys() {
        let dr = |set_at| put(Some(IMAGE), Some(set_at));
        let denied = || Err("denied".to_owned());
        for (parameter, verdict, words) in [
            (parameter(dr(PRIMARY - 2 * HOURS), primary()), Ready, "DR's was set 2027-01-15T06:00:00Z"),
            (parameter(dr(PRIMARY - 2 * HOURS - 1), primary()), NotReady, "the primary's 2027-01-15T08:00:00Z"),
            (parameter(dr(PRIMARY + 1_000 * HOURS), primary()), Ready, ""),
            (parameter(dr(PRIMARY), put(Some("text"), Some(PRIMARY))), Ready, ""),
            (parameter(put(Some("text"), Some(PRIMARY)), primary()), NotReady, "of data type text in DR"),
            (parameter(Ok(None), primary()), NotReady, "is not in DR"),
            (parameter(put(None, Some(PRIMARY)), primary()), NotKnown, "of which data type"),
            (parameter(put(Some(IMAGE), None), primary()), NotKnown, "when DR's was set"),
            (parameter(dr(PRIMARY), put(Some(IMAGE), None)), NotKnown, "when the primary's was set"),
            (parameter(dr(PRIMARY), Ok(None)), NotKnown, "no such parameter"),
            (parameter(dr(PRIMARY), denied()), NotKnown, "denied"),
            (parameter(denied(), primary()), NotKnown, "denied"),
        ] {
            expect(&Image::of(&parameter).unwrap(), "image", verdict, words);
        }
    }

    #[test]
    fn what_puts_it_right_is_a_command_for_dr() {
        let remedy = |dr: Look<Option<Put>>| of_row(&Image::of(&parameter(dr, primary())).unwrap(), "image").remedy;
        let put_it = "aws ssm put-parameter --region eu-central-1 --name /shop/image --type String --data-type aws:ec2:image --value …";
        assert_eq!(remedy(Ok(None)), put_it);
        assert!(remedy(put(Some(IMAGE), Some(0))).ends_with(&format!("{put_it} --overwrite")));
        let anew = format!("aws ssm delete-parameter --region eu-central-1 --name /shop/image; then {put_it}");
        assert_eq!(remedy(put(Some("text"), Some(0))), anew);
    }

    #[test]
    fn what_no_region_holds_to_be_an_image_is_none() {
        let denied = || Err("denied".to_owned());
        let text = || put(Some("text"), Some(PRIMARY));
        for (dr, primary) in [(text(), text()), (denied(), denied()), (Ok(None), denied()), (put(None, None), text())] {
            assert_eq!(Image::of(&parameter(dr, primary)), None);
        }
    }
}
