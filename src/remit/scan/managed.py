"""What AWS's managed policies, SAM's templates and CDK's grants let be done, as actions of a service (AG110). Pure.

Sources: AWS's list of managed policies, SAM's policy templates, the constructs of CDK. Each is one action that
writes and stands for the rest: held to what code calls of the same service.
"""

import re
from collections.abc import Iterator
from typing import Final

from remit.scan.node import Node, line_at
from remit.scan.sight import Granted

_POLICIES: Final = {
    "AmazonS3FullAccess": "s3:*", "AmazonDynamoDBFullAccess": "dynamodb:*", "AmazonDynamoDBFullAccess_v2": "dynamodb:*",
    "AmazonSQSFullAccess": "sqs:*", "AmazonSNSFullAccess": "sns:*", "SecretsManagerReadWrite": "secretsmanager:*",
    "AmazonSSMFullAccess": "ssm:*", "CloudWatchLogsFullAccess": "logs:*", "AmazonKinesisFullAccess": "kinesis:*",
    "AmazonAthenaFullAccess": "athena:*", "AWSLambda_FullAccess": "lambda:*", "AmazonEC2FullAccess": "ec2:*",
    "AmazonRDSFullAccess": "rds:*", "AmazonECS_FullAccess": "ecs:*", "AmazonSESFullAccess": "ses:*",
    "CloudWatchFullAccess": "cloudwatch:*", "AWSStepFunctionsFullAccess": "states:*",
    "AmazonEventBridgeFullAccess": "events:*",
}  # fmt: skip
_TEMPLATES: Final = {
    "S3CrudPolicy": "s3:PutObject", "S3WritePolicy": "s3:PutObject", "S3FullAccessPolicy": "s3:PutObject",
    "DynamoDBCrudPolicy": "dynamodb:PutItem", "DynamoDBWritePolicy": "dynamodb:PutItem",
    "SQSSendMessagePolicy": "sqs:SendMessage", "SNSPublishMessagePolicy": "sns:Publish", "SNSCrudPolicy": "sns:Publish",
    "KinesisCrudPolicy": "kinesis:PutRecord",
}  # fmt: skip
_MADE: Final = re.compile(
    r"(?<!\w)(\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:new\s+)?(?:[\w.]+\.)?(Bucket|Table|TableV2|Queue|Topic|Secret"
    r"|Stream)(?:\.from\w+|V2)?\("
)
_SERVICES: Final = {
    "Bucket": "s3", "Table": "dynamodb", "TableV2": "dynamodb", "Queue": "sqs", "Topic": "sns",
    "Secret": "secretsmanager", "Stream": "kinesis",
}  # fmt: skip
_WRITES: Final = {
    "s3": "PutObject", "dynamodb": "PutItem", "sqs": "SendMessage", "sns": "Publish",
    "secretsmanager": "PutSecretValue", "kinesis": "PutRecord",
}  # fmt: skip
_GRANTS: Final = re.compile(
    r"(?<!\w)(\w+)\.(grantReadWrite|grantWrite|grantPut|grantDelete|grantReadWriteData|grantWriteData|grantFullAccess"
    r"|grant_read_write|grant_write|grant_put|grant_delete|grant_read_write_data|grant_write_data|grant_full_access)\("
)
HINT: Final = re.compile(r"FullAccess|ReadWrite|CrudPolicy|WritePolicy|MessagePolicy")


def attached(path: str, root: Node) -> Iterator[Granted]:
    """What policies a document attaches by their names, and SAM by its templates."""
    for part in root.inside():
        for name, value in part.members.items():
            if name in _TEMPLATES:
                yield Granted(path, value.line, "aws", _TEMPLATES[name], writes=True)
            for one in value.items if "olic" in name else ():
                yield from _named(path, one.text, one.line)


def in_code(path: str, text: str) -> Iterator[Granted]:
    """What code of CDK or Pulumi attaches by name, and what its constructs grant."""
    for found in re.finditer(r"[\"']((?:arn:aws[\w-]*:iam::aws:policy/)?\w*(?:FullAccess|ReadWrite)\w*)[\"']", text):
        yield from _named(path, found[1], line_at(text, found.start()))
    made = {one[1]: _SERVICES[one[2]] for one in _MADE.finditer(text)}
    for one in _GRANTS.finditer(text) if made else ():
        service = made.get(one[1])
        if service:
            yield Granted(path, line_at(text, one.start()), "aws", f"{service}:{_WRITES[service]}", writes=True)


def _named(path: str, text: str, line: int) -> Iterator[Granted]:
    action = _POLICIES.get(text.rpartition("/")[2])
    if action:
        yield Granted(path, line, "aws", action, writes=True)
