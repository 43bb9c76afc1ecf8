//! What the application in DR reads that must be there too: secrets, parameters, buckets. No plan names them; the file of --workload does.

use jiff::Timestamp;

use super::{Judgement, Limits, Look, Row, Subject, not_ready, ready};

/// A secret of Secrets Manager that has a replica in DR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its name, alike in both regions.
    pub name: String,
    /// DR's region.
    pub dr_region: String,
    /// DR's replica; nothing if there is none.
    pub dr: Look<Option<Kept>>,
    /// What the primary region says of its copy there; nothing if it copies it nowhere.
    pub replication: Look<Option<Replication>>,
}

/// A secret that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whether somebody deleted it: then nobody can read it.
    pub is_deleted: bool,
}

/// How far a secret's copy has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replication {
    /// AWS's word for it.
    pub status: Option<String>,
    /// What AWS says about it.
    pub message: String,
}

const READ_SECRETS: &str =
    "let Holdfast describe the secret in both regions (docs/policies/readiness.json); its value is never read";

impl Subject for Secret {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            id: "secret",
            must_be: "the secret is in DR, and not deleted",
            how: "secretsmanager DescribeSecret in DR",
            otherwise: READ_SECRETS,
            judge: |it, _| is_there(it),
        },
        Row {
            id: "secret-copy",
            must_be: "its copy in DR is in sync",
            how: "secretsmanager DescribeSecret in the primary region, ReplicationStatus",
            otherwise: READ_SECRETS,
            judge: |it, _| in_sync(it),
        },
    ];

    fn about(&self) -> String {
        format!("secret {}", self.name)
    }
}

impl Secret {
    fn copy_again(&self) -> String {
        format!(
            "aws secretsmanager replicate-secret-to-regions --secret-id {} --add-replica-regions Region={}",
            self.name, self.dr_region
        )
    }
}

fn is_there(it: &Secret) -> Judgement {
    match it.dr.as_ref().map_err(Clone::clone)? {
        None => not_ready("is not in DR", it.copy_again()),
        Some(Kept { is_deleted: true }) => {
            not_ready("was deleted in DR", format!("aws secretsmanager restore-secret --secret-id {}", it.name))
        }
        Some(Kept { is_deleted: false }) => ready("is in DR"),
    }
}

fn in_sync(it: &Secret) -> Judgement {
    let Some(replication) = it.replication.as_ref().map_err(Clone::clone)? else {
        return not_ready("the primary region copies it to no secret in DR", it.copy_again());
    };
    match replication.status.as_deref() {
        Some("InSync") => ready("in sync"),
        Some("Failed") => not_ready(
            format!("the copy failed: {}", replication.message),
            format!("{} --force-overwrite-replica-secret", it.copy_again()),
        ),
        Some(status) => Err(format!("the copy is {status}")),
        None => Err("AWS does not say how far the copy has come".to_owned()),
    }
}

/// A parameter of Parameter Store, which copies nothing: somebody puts it into both regions, with values of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, alike in both regions.
    pub name: String,
    /// DR's region.
    pub dr_region: String,
    /// What DR has; nothing if it has none of that name.
    pub dr: Look<Option<Put>>,
    /// What the primary region has.
    pub primary: Look<Option<Put>>,
}

/// The data type of a parameter that names an image. Parameter Store "validates … that the specified AMI is available in your Amazon Web
/// Services account"; where it is not, "the parameter will not be created or updated" (API reference, PutParameter).
pub(super) const IMAGE: &str = "aws:ec2:image";

/// A parameter that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// AWS's word for its type: `String`, `StringList`, `SecureString`.
    pub kind: Option<String>,
    /// AWS's word for what its value is held to: `text`, `aws:ec2:image`.
    pub data_type: Option<String>,
    /// When it was last set.
    pub set_at: Option<Timestamp>,
}

impl Put {
    /// True if Parameter Store holds its value to be the id of an image.
    pub(super) fn is_image(&self) -> bool {
        self.data_type.as_deref() == Some(IMAGE)
    }
}

impl Subject for Parameter {
    const ROWS: &'static [Row<Self>] = &[Row {
        id: "parameter",
        must_be: "the parameter is in DR, of the type that it has in the primary region",
        how: "ssm DescribeParameters in both regions",
        otherwise: "let Holdfast describe parameters in both regions (docs/policies/readiness.json), and name it as it is called there; its value is \
                    never read; while the primary region is silent this stays unknown",
        judge: |it, _| is_put(it),
    }];

    fn about(&self) -> String {
        format!("parameter {}", self.name)
    }
}

impl Parameter {
    /// The value is the user's to know: an endpoint, a bucket or an image is another one in DR.
    pub(super) fn put(&self, kind: &str) -> String {
        let Self { name, dr_region, .. } = self;
        let is_image = [&self.primary, &self.dr].iter().any(|put| matches!(put, Ok(Some(put)) if put.is_image()));
        let data_type = if is_image { format!(" --data-type {IMAGE}") } else { String::new() };
        format!("aws ssm put-parameter --region {dr_region} --name {name} --type {kind}{data_type} --value …")
    }

    /// What takes DR's away, and puts it again as another.
    pub(super) fn put_anew(&self, kind: &str) -> String {
        let Self { name, dr_region, .. } = self;
        format!("aws ssm delete-parameter --region {dr_region} --name {name}; then {}", self.put(kind))
    }
}

fn is_put(it: &Parameter) -> Judgement {
    let kind_of = |put: &Put| put.kind.clone().ok_or("AWS does not say of which type it is");
    let primary = match &it.primary {
        Ok(Some(put)) => kind_of(put).map_err(str::to_owned),
        Ok(None) => Err("the primary region has no such parameter".to_owned()),
        Err(why) => Err(why.clone()),
    };
    let Some(dr) = it.dr.as_ref().map_err(Clone::clone)? else {
        return not_ready("is not in DR", it.put(primary.as_deref().unwrap_or("TYPE")));
    };
    let (dr, primary) = (kind_of(dr)?, primary?);
    match dr == primary {
        true => ready(format!("is in DR, a {dr}")),
        // "Parameter Store doesn't support changing a parameter type" (API reference, PutParameter).
        false => not_ready(format!("is a {dr} in DR, and a {primary} in the primary region"), it.put_anew(&primary)),
    }
}

/// A rule that copies a bucket to DR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket in the primary region.
    pub source: String,
    /// The bucket in DR.
    pub destination: String,
    /// Seconds by which DR was behind at most lately; nothing if CloudWatch has no data.
    pub behind_seconds: Look<Option<u64>>,
    /// Operations that failed in the last day; nothing if CloudWatch has no data.
    pub failed: Look<Option<u64>>,
}

const METRICS: &str = "turn the rule's replication metrics on (Metrics: Status Enabled), name bucket and rule as S3 does in the file of --workload, and let \
                       Holdfast read CloudWatch";

impl Subject for Bucket {
    const ROWS: &'static [Row<Self>] = &[
        Row {
            id: "bucket-behind",
            must_be: "DR's bucket was behind by replication_seconds_max (900) at most in the last hour",
            how: "cloudwatch AWS/S3 ReplicationLatency in DR",
            otherwise: METRICS,
            judge: behind,
        },
        Row {
            id: "bucket-failures",
            must_be: "no object failed to be copied in the last 24 hours",
            how: "cloudwatch AWS/S3 OperationsFailedReplication in both regions",
            otherwise: METRICS,
            judge: |it, _| failures(it),
        },
    ];

    fn about(&self) -> String {
        format!("bucket {} to {}", self.source, self.destination)
    }
}

fn behind(it: &Bucket, limits: &Limits) -> Judgement {
    let seconds =
        it.behind_seconds.as_ref().map_err(Clone::clone)?.ok_or("CloudWatch has no data of how far DR is behind")?;
    let seen = format!("DR was behind by {seconds} s at most");
    match seconds > limits.replication_seconds_max {
        true => not_ready(
            seen,
            format!(
                "aws s3api get-bucket-replication --bucket {}: see its role and rules, and the destination's policy and key",
                it.source
            ),
        ),
        false => ready(seen),
    }
}

fn failures(it: &Bucket) -> Judgement {
    match it.failed.as_ref().map_err(Clone::clone)?.ok_or("CloudWatch has no data of failed copies")? {
        0 => ready("none failed"),
        failed => not_ready(
            format!("{failed} operations failed"),
            format!(
                "see why in S3's event s3:Replication:OperationFailedReplication of {}, then copy again by S3 Batch Replication",
                it.source
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{NotKnown, NotReady, Ready};
    use super::super::tests::{expect, expect_nothing_known, of_row};
    use super::*;

    fn secret(dr: Option<bool>, status: Option<&str>) -> Secret {
        let replication = Replication { status: status.map(str::to_owned), message: "no key".to_owned() };
        Secret {
            name: "shop/database-app".to_owned(),
            dr_region: "eu-central-1".to_owned(),
            dr: Ok(dr.map(|is_deleted| Kept { is_deleted })),
            replication: Ok(Some(replication)),
        }
    }

    #[test]
    fn a_secret_must_be_in_dr_and_in_sync() {
        for (row, secret, verdict, words) in [
            ("secret", secret(Some(false), None), Ready, ""),
            ("secret", secret(Some(true), None), NotReady, "deleted"),
            ("secret", secret(None, None), NotReady, "not in DR"),
            ("secret-copy", secret(None, Some("InSync")), Ready, ""),
            ("secret-copy", secret(None, Some("Failed")), NotReady, "no key"),
            ("secret-copy", Secret { replication: Ok(None), ..secret(None, None) }, NotReady, "no secret in DR"),
            ("secret-copy", secret(None, Some("InProgress")), NotKnown, "InProgress"),
            ("secret-copy", secret(None, None), NotKnown, ""),
        ] {
            expect(&secret, row, verdict, words);
        }
        let denied = || "denied".to_owned();
        expect_nothing_known(&Secret { dr: Err(denied()), replication: Err(denied()), ..secret(None, None) });
    }

    #[test]
    fn a_parameter_must_be_in_dr_and_of_the_primarys_type() {
        let of_kind = |kind: Option<&str>| Put { kind: kind.map(str::to_owned), data_type: None, set_at: None };
        let put = |kind: &str| Ok(Some(of_kind(Some(kind))));
        let parameter = |dr: Look<Option<Put>>, primary: Look<Option<Put>>| Parameter {
            name: "/shop/bucket".to_owned(),
            dr_region: "eu-central-1".to_owned(),
            dr,
            primary,
        };
        let denied = || Err("denied".to_owned());
        for (parameter, verdict, words) in [
            (parameter(put("String"), put("String")), Ready, "a String"),
            (parameter(put("String"), put("SecureString")), NotReady, "is a String in DR"),
            (parameter(Ok(None), put("String")), NotReady, "not in DR"),
            (parameter(Ok(None), denied()), NotReady, "not in DR"),
            (parameter(put("String"), Ok(None)), NotKnown, "no such parameter"),
            (parameter(put("String"), denied()), NotKnown, "denied"),
            (parameter(Ok(Some(of_kind(None))), put("String")), NotKnown, "of which type"),
        ] {
            expect(&parameter, "parameter", verdict, words);
        }
        let remedy = of_row(&parameter(Ok(None), put("SecureString")), "parameter").remedy;
        assert_eq!(
            remedy,
            "aws ssm put-parameter --region eu-central-1 --name /shop/bucket --type SecureString --value …"
        );
        expect_nothing_known(&parameter(denied(), denied()));
    }

    fn bucket(behind_seconds: Look<Option<u64>>, failed: Look<Option<u64>>) -> Bucket {
        let (source, destination) = ("assets".to_owned(), "assets-dr".to_owned());
        Bucket { source, destination, behind_seconds, failed }
    }

    #[test]
    fn a_bucket_must_be_copied_soon_and_whole_and_a_metric_without_data_says_nothing() {
        for (row, bucket, verdict, words) in [
            ("bucket-behind", bucket(Ok(Some(900)), Ok(None)), Ready, "900 s"),
            ("bucket-behind", bucket(Ok(Some(901)), Ok(None)), NotReady, "901 s"),
            ("bucket-failures", bucket(Ok(None), Ok(Some(0))), Ready, ""),
            ("bucket-failures", bucket(Ok(None), Ok(Some(1))), NotReady, "1 operations"),
        ] {
            expect(&bucket, row, verdict, words);
        }
        let denied = || "denied".to_owned();
        expect_nothing_known(&bucket(Ok(None), Ok(None)));
        expect_nothing_known(&bucket(Err(denied()), Err(denied())));
    }
}
