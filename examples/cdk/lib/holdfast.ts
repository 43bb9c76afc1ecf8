// A release of Holdfast as CDK stacks. Its resources are the template's, by the template's names: the wiring is written nowhere else.
import * as cdk from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as deployment from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import * as path from 'path';

export type Value = string | number | string[];

/** The functions' zips, in a bucket of the DR region. */
export class Artifacts extends cdk.Stack {
  readonly bucket: s3.Bucket;
  readonly prefix: string;

  constructor(scope: Construct, id: string, props: cdk.StackProps & { release: string }) {
    super(scope, id, props);
    const functions = path.join(props.release, 'functions');
    this.bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      encryption: s3.BucketEncryption.S3_MANAGED,
    });
    // Other code is another prefix, or CloudFormation would see no change.
    this.prefix = `holdfast-${cdk.FileSystem.fingerprint(functions).slice(0, 16)}/functions/`;
    new deployment.BucketDeployment(this, 'Functions', {
      sources: [deployment.Source.asset(functions)],
      destinationBucket: this.bucket,
      destinationKeyPrefix: this.prefix,
      // Older ones stay, also when the prefix changes: CloudFormation may have to roll a function back to them.
      prune: false,
      retainOnDelete: true,
    });
  }
}

export interface HoldfastProps extends cdk.StackProps {
  readonly release: string;
  readonly artifacts: Artifacts;
  /** By the template's names; what is not given has the template's default. */
  readonly parameters: Record<string, Value>;
  /** A pager's URL is a secret: the name of it in Secrets Manager, in this region. */
  readonly pagerSecret?: string;
}

/** The one stack, or the responder of two: packaged.yaml, its parameters filled in. */
export class Holdfast extends cdk.Stack {
  readonly included: CfnInclude;

  constructor(scope: Construct, id: string, props: HoldfastProps) {
    super(scope, id, props);
    const templateFile = path.join(props.release, 'packaged.yaml');
    check(templateFile, props.parameters);
    this.included = new CfnInclude(this, 'Template', {
      templateFile,
      parameters: { ...props.parameters, CodeBucket: props.artifacts.bucket.bucketName, CodePrefix: props.artifacts.prefix },
    });
    // It stays a parameter: the template's conditions read it, where no reference may stand.
    if (props.pagerSecret) this.included.getParameter('PagerUrl').default = `{{resolve:secretsmanager:${props.pagerSecret}}}`;
    const reason = 'as in the template, whose parameters may be empty and whose conditions are constant once they are filled in';
    cdk.Validations.of(this).acknowledge(...['W1001', 'W1030', 'W8003'].map((rule) => ({ id: `CloudFormation-Validate::${rule}`, reason })));
    // The zips first.
    this.addStackDependency(props.artifacts);
  }

  /** A health check of the stack, by its name in the template. */
  healthCheck(name: 'FailoverHealthCheck' | 'Switch'): string {
    return this.included.getResource(name).ref;
  }
}

/** What is filled in is no parameter any more, and CloudFormation does not look at it: the template's limits are held to here. */
function check(templateFile: string, values: Record<string, Value>): void {
  const template = new CfnInclude(new cdk.Stack(), 'Template', { templateFile });
  for (const [name, value] of Object.entries(values)) {
    const its = template.getParameter(name);
    const isList = its.type === 'CommaDelimitedList';
    if (isList !== Array.isArray(value)) throw new Error(`${name} must be ${isList ? 'a list: a string would stay a string' : 'one value'}`);
    for (const each of Array.isArray(value) ? value : [value]) {
      const text = String(each);
      const isAllowed =
        (its.allowedPattern === undefined || new RegExp(its.allowedPattern).test(text)) &&
        (its.allowedValues === undefined || its.allowedValues.map(String).includes(text)) &&
        (its.minValue === undefined || Number(text) >= its.minValue) &&
        (its.maxValue === undefined || Number(text) <= its.maxValue) &&
        (its.type !== 'Number' || /^\d+$/.test(text));
      if (!isAllowed) throw new Error(`${name} ${its.constraintDescription ?? 'is outside of what the template allows'}, and is ${text}`);
    }
  }
}
