//! Deploys CloudFormation and SAM templates into the lab.
