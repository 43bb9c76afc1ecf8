//! What the application in DR is: the revision that DR's own pipeline deployed last, held against the primary's.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::wanted::Pipelines;
use super::{Judgement, Look, Row, Subject, not_ready, ready, told};

/// A pipeline in the primary region, and the one in DR that deploys the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Their names.
    pub names: Pipelines,
    /// DR's region.
    pub dr_region: String,
    /// What the primary's did lately.
    pub primary: Look<Vec<Execution>>,
    /// What DR's did lately.
    pub dr: Look<Vec<Execution>>,
}

/// An execution of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// AWS's word for how far it came.
    pub status: Option<String>,
    /// When it changed last: of one that is over, when it ended.
    pub changed: Option<Timestamp>,
    /// What it deploys, by the source action that brought it.
    pub revisions: BTreeMap<String, Revision>,
}

/// A revision of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// A commit, the digest of an image, the version of an object.
    pub id: Option<String>,
    /// Of a commit its message; of an object in S3 what its owner wrote into `codepipeline-artifact-revision-summary`.
    pub summary: Option<String>,
}

impl Subject for Pair {
    const ROWS: &'static [Row<Self>] = &[Row {
        id: "pipeline",
        must_be: "what DR's pipeline deployed last is the revision that the primary's deployed last",
        how: "codepipeline ListPipelineExecutions in both regions: of each the last that succeeded, and its source revisions",
        otherwise: "name both pipelines as they are called, let Holdfast list their executions (docs/policies/readiness.json), and give objects in S3 \
                    their commit as metadata codepipeline-artifact-revision-summary; while the primary region is silent this stays unknown",
        judge: |it, _| is_same(it),
    }];

    fn about(&self) -> String {
        format!("pipeline {}", self.names)
    }
}

fn is_same(it: &Pair) -> Judgement {
    let (primary, primary_at) = last_deployed(&it.primary).map_err(|why| format!("the primary's pipeline: {why}"))?;
    let (dr, dr_at) = last_deployed(&it.dr).map_err(|why| format!("DR's pipeline: {why}"))?;
    let pairs = paired(primary, dr)?;
    let words = |which: fn(&(&Revision, &Revision)) -> String| pairs.iter().map(which).collect::<Vec<_>>().join(", ");
    let (of_dr, of_primary) = (words(|pair| pair.1.to_string()), words(|pair| pair.0.to_string()));
    // One that differs is enough to know.
    let mut unknown = None;
    let mut differs = false;
    for (primary, dr) in &pairs {
        match are_same(primary, dr) {
            Ok(same) => differs |= !same,
            Err(why) => unknown = Some(why),
        }
    }
    match (differs, unknown) {
        (false, None) => ready(format!("both deployed {of_dr}")),
        (false, Some(why)) => Err(why),
        (true, _) if it.dr.iter().flatten().any(|it| it.is_under_way_with(primary)) => {
            Err(format!("DR's pipeline is deploying {of_primary} now"))
        }
        (true, _) => not_ready(
            format!(
                "DR has {of_dr}, deployed at {dr_at}; the primary region has {of_primary}, deployed at {primary_at}"
            ),
            format!("aws codepipeline start-pipeline-execution --region {} --name {}", it.dr_region, it.names.dr),
        ),
    }
}

impl Execution {
    fn has(&self, status: &str) -> bool {
        self.status.as_deref() == Some(status)
    }

    fn is_under_way_with(&self, revisions: &BTreeMap<String, Revision>) -> bool {
        let same = |pairs: Vec<(&Revision, &Revision)>| pairs.iter().all(|(a, b)| are_same(a, b) == Ok(true));
        self.has("InProgress") && paired(revisions, &self.revisions).is_ok_and(same)
    }
}

/// What the last execution that succeeded deployed, and when.
fn last_deployed(executions: &Look<Vec<Execution>>) -> Look<(&BTreeMap<String, Revision>, Timestamp)> {
    let mut last: Option<(&BTreeMap<String, Revision>, Timestamp)> = None;
    for execution in executions.as_ref().map_err(Clone::clone)?.iter().filter(|it| it.has("Succeeded")) {
        let ended = *told(execution.changed.as_ref(), "when an execution ended")?;
        if last.is_none_or(|(_, at)| at < ended) {
            last = Some((&execution.revisions, ended));
        }
    }
    last.ok_or_else(|| "no execution of it is known to have succeeded".to_owned())
}

/// The revisions of one source each, the primary's first.
fn paired<'a>(
    primary: &'a BTreeMap<String, Revision>,
    dr: &'a BTreeMap<String, Revision>,
) -> Look<Vec<(&'a Revision, &'a Revision)>> {
    let is_single = primary.len() == 1 && dr.len() == 1;
    match !primary.is_empty() && (is_single || primary.keys().eq(dr.keys())) {
        true => Ok(primary.values().zip(dr.values()).collect()),
        false => {
            let actions = |all: &BTreeMap<String, _>| match all.is_empty() {
                true => "none".to_owned(),
                false => all.keys().cloned().collect::<Vec<_>>().join(", "),
            };
            Err(format!(
                "the pipelines' source revisions are not those of the same actions: {} in the primary region, {} in DR",
                actions(primary),
                actions(dr)
            ))
        }
    }
}

/// Whether two revisions are one. Commits and digests are alike everywhere; a version of an object in S3 is its bucket's own, and what says
/// whether two of them are alike is what their owner wrote beside them.
fn are_same(a: &Revision, b: &Revision) -> Look<bool> {
    let (one, other) = (told(a.id.as_ref(), "a source's revision")?, told(b.id.as_ref(), "a source's revision")?);
    if one == other {
        return Ok(true);
    }
    if is_of_content(one) || is_of_content(other) {
        return Ok(false);
    }
    match (&a.summary, &b.summary) {
        (Some(one), Some(other)) => Ok(one == other),
        _ => Err("versions of objects differ from bucket to bucket, and these have no codepipeline-artifact-revision-summary".to_owned()),
    }
}

/// A commit or the digest of an image: it is named by what it contains.
fn is_of_content(id: &str) -> bool {
    let digest = id.strip_prefix("sha256:").unwrap_or(id);
    matches!(digest.len(), 40 | 64) && digest.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.id.as_deref().unwrap_or("a revision of no name");
        match &self.summary {
            Some(summary) if !is_of_content(id) => f.write_str(summary),
            _ => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::Verdict::{NotKnown, NotReady, Ready};
    use super::super::tests::{expect, expect_nothing_known, of_row};
    use super::*;

    const OLD: &str = "00000000000000000000000000000000000000aa";
    const NEW: &str = "00000000000000000000000000000000000000bb";

    fn revision(id: &str, summary: Option<&str>) -> Revision {
        Revision { id: Some(id.to_owned()), summary: summary.map(str::to_owned) }
    }

    fn execution(status: &str, hour: i64, revision: Revision) -> Execution {
        Execution {
            status: Some(status.to_owned()),
            changed: Some(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)),
            revisions: [("Source".to_owned(), revision)].into(),
        }
    }

    fn of_commit(status: &str, hour: i64, commit: &str) -> Execution {
        execution(status, hour, revision(commit, Some("a message that says little")))
    }

    fn pair(primary: Vec<Execution>, dr: Vec<Execution>) -> Pair {
        Pair {
            names: "shop=shop-dr".parse().unwrap(),
            dr_region: "eu-central-1".to_owned(),
            primary: Ok(primary),
            dr: Ok(dr),
        }
    }

    #[test]
    fn what_counts_is_the_last_that_succeeded_and_a_commits_message_is_no_commit() {
        let newest =
            || vec![of_commit("InProgress", 9, OLD), of_commit("Succeeded", 3, NEW), of_commit("Succeeded", 1, OLD)];
        for (dr, verdict, words) in [
            (vec![of_commit("Succeeded", 4, NEW)], Ready, NEW),
            (vec![of_commit("Succeeded", 1, OLD), of_commit("Succeeded", 4, NEW)], Ready, NEW),
            (vec![of_commit("Succeeded", 2, OLD)], NotReady, "T02:00:00Z; the primary region has"),
            (vec![of_commit("Failed", 4, NEW), of_commit("Succeeded", 2, OLD)], NotReady, OLD),
            (vec![of_commit("InProgress", 4, NEW), of_commit("Succeeded", 2, OLD)], NotKnown, "deploying"),
            (vec![of_commit("Failed", 4, NEW)], NotKnown, "DR's pipeline: no execution of it"),
            (vec![], NotKnown, "no execution of it"),
            (vec![Execution { changed: None, ..of_commit("Succeeded", 4, NEW) }], NotKnown, "when an execution ended"),
            (vec![Execution { revisions: BTreeMap::new(), ..of_commit("Succeeded", 4, NEW) }], NotKnown, "in DR"),
        ] {
            expect(&pair(newest(), dr), "pipeline", verdict, words);
        }
        let remedy = of_row(&pair(newest(), vec![of_commit("Succeeded", 2, OLD)]), "pipeline").remedy;
        assert_eq!(remedy, "aws codepipeline start-pipeline-execution --region eu-central-1 --name shop-dr");
        expect_nothing_known(&Pair { primary: Err("silent".to_owned()), ..pair(vec![], newest()) });
        expect_nothing_known(&Pair { dr: Err("denied".to_owned()), ..pair(newest(), vec![]) });
    }

    #[test]
    fn versions_of_objects_are_alike_if_their_owner_says_so() {
        let of = |version: &str, summary| vec![execution("Succeeded", 1, revision(version, summary))];
        for (primary, dr, verdict) in [
            (of("Lv1", Some(NEW)), of("Xq9", Some(NEW)), Ready),
            (of("Lv1", Some(NEW)), of("Xq9", Some(OLD)), NotReady),
            // S3's replication keeps an object's version.
            (of("Lv1", None), of("Lv1", None), Ready),
            (of("Lv1", None), of("Xq9", None), NotKnown),
            (of("Lv1", Some(NEW)), of("Xq9", None), NotKnown),
            (of(NEW, None), of("Xq9", Some(NEW)), NotReady),
        ] {
            expect(&pair(primary, dr), "pipeline", verdict, "");
        }
    }

    #[test]
    fn of_several_sources_each_is_held_against_its_own() {
        let with = |more: &[(&str, &str)]| {
            let mut one = of_commit("Succeeded", 1, OLD);
            one.revisions.extend(more.iter().map(|(action, id)| ((*action).to_owned(), revision(id, None))));
            vec![one]
        };
        let image = |digit: &str| format!("sha256:{}", digit.repeat(64));
        let (old, new) = (image("a"), image("b"));
        expect(&pair(with(&[("Image", &old)]), with(&[("Image", &old)])), "pipeline", Ready, "");
        expect(&pair(with(&[("Image", &new)]), with(&[("Image", &old)])), "pipeline", NotReady, &old);
        expect(&pair(with(&[("Image", &new)]), with(&[("Other", &new)])), "pipeline", NotKnown, "Image, Source");
        // One that differs is red, whatever is not known of another.
        let (one, other) = (with(&[("Image", &new), ("Zip", "Lv1")]), with(&[("Image", &old), ("Zip", "Xq9")]));
        expect(&pair(one, other), "pipeline", NotReady, "");
    }
}
