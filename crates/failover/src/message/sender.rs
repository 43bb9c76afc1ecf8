//! Which Holdfast speaks: one of perhaps thirty of an account.

/// The bus of a stack that nobody gave another name.
const USUAL_BUS: &str = "holdfast";

/// The Holdfast that speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Name of its bus, by which a workload is known.
    pub bus: String,
    /// Its region: DR's.
    pub region: String,
    /// The account it is in.
    pub account: String,
}

impl Sender {
    /// What every subject begins with.
    pub(super) fn name(&self) -> String {
        if self.bus == USUAL_BUS { "Holdfast".to_owned() } else { format!("Holdfast {}", self.bus) }
    }

    /// Options that lead the command line to it, from whatever shell somebody has at night.
    pub(super) fn options(&self) -> String {
        let bus = if self.bus == USUAL_BUS { String::new() } else { format!(" --bus {}", self.bus) };
        format!(" --region {}{bus}", self.region)
    }

    /// Where it is, and where to look.
    pub(super) fn in_words(&self) -> Vec<String> {
        let Self { bus, region, account } = self;
        vec![
            format!("{} in {region}, account {account}", self.name()),
            format!(
                "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/{bus}-{region}"
            ),
        ]
    }
}
