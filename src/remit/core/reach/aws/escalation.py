"""The ways in which rights in AWS give more rights: whose place can be taken, and whose policies can be written. Pure.

To how many services a role can be passed, and by what, nobody lists: what no way here names is told as perhaps
(`Becoming`). The ways are those of policy-sentry's list of privilege escalation and of the public catalogue behind it
(pathfinding.cloud). A test holds that every action of that list is in one of them.
"""

from typing import Final

TAKEN: Final = {
    "iam:CreateAccessKey": ("user", "makes an access key of"),
    "iam:CreateLoginProfile": ("user", "sets a password of"),
    "iam:UpdateLoginProfile": ("user", "sets a password of"),
    "iam:UpdateAssumeRolePolicy": ("role", "lets itself assume"),
}
"""Actions on a principal that give its place."""
WRITTEN: Final = {
    "iam:AttachUserPolicy": "user", "iam:PutUserPolicy": "user", "iam:AttachRolePolicy": "role",
    "iam:PutRolePolicy": "role", "iam:AttachGroupPolicy": "group", "iam:PutGroupPolicy": "group",
    "iam:CreatePolicyVersion": "policy", "iam:SetDefaultPolicyVersion": "policy",
}  # fmt: skip
"""Actions by which what a principal may do can be written, and on what."""
LIFTED: Final = {
    "iam:DeleteUserPermissionsBoundary": "user", "iam:PutUserPermissionsBoundary": "user",
    "iam:DeleteRolePermissionsBoundary": "role", "iam:PutRolePermissionsBoundary": "role",
}  # fmt: skip
"""Actions by which a boundary goes."""
PROVIDED: Final = {
    "iam:UpdateSAMLProvider": True, "iam:CreateSAMLProvider": False, "iam:CreateOpenIDConnectProvider": False,
    "iam:AddClientIDToOpenIDConnectProvider": False, "iam:UpdateOpenIDConnectProviderThumbprint": False,
}  # fmt: skip
"""Actions on who says for a role who somebody is, and whether each alone lets its author say so."""
JOINED: Final = "iam:AddUserToGroup"
ASSUMED: Final = "sts:AssumeRole"
PASSED: Final = "iam:PassRole"
SERVICES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "apprunner.amazonaws.com": (("apprunner:CreateService",),),
    "bedrock-agentcore.amazonaws.com": (
        ("bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:InvokeCodeInterpreter"),
    ),
    "cloudformation.amazonaws.com": (
        ("cloudformation:CreateStack",), ("cloudformation:UpdateStack",), ("cloudformation:CreateStackSet",),
        ("cloudformation:UpdateStackSet",), ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
    ),
    "codebuild.amazonaws.com": (
        ("codebuild:CreateProject", "codebuild:StartBuild"), ("codebuild:CreateProject", "codebuild:StartBuildBatch"),
        ("codebuild:UpdateProject", "codebuild:StartBuild"),
    ),
    "codestar.amazonaws.com": (("codestar:CreateProject",), ("codestar:CreateProjectFromTemplate",)),
    "datapipeline.amazonaws.com": (("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),),
    "ec2.amazonaws.com": (
        ("ec2:RunInstances",), ("ec2:RequestSpotInstances",), ("ec2:AssociateIamInstanceProfile",),
        ("ec2:ReplaceIamInstanceProfileAssociation",),
    ),
    "ecs-tasks.amazonaws.com": (
        ("ecs:RegisterTaskDefinition", "ecs:RunTask"), ("ecs:RegisterTaskDefinition", "ecs:StartTask"),
        ("ecs:RegisterTaskDefinition", "ecs:CreateService"), ("ecs:RegisterTaskDefinition", "ecs:UpdateService"),
    ),
    "glue.amazonaws.com": (
        ("glue:CreateDevEndpoint",), ("glue:CreateJob", "glue:StartJobRun"), ("glue:CreateJob", "glue:CreateTrigger"),
        ("glue:UpdateJob", "glue:StartJobRun"), ("glue:UpdateJob", "glue:CreateTrigger"),
    ),
    "lambda.amazonaws.com": (
        ("lambda:CreateFunction", "lambda:InvokeFunction"), ("lambda:CreateFunction", "lambda:AddPermission"),
        ("lambda:CreateFunction", "lambda:CreateEventSourceMapping"), ("lambda:UpdateFunctionConfiguration",),
    ),
    "rds.amazonaws.com": (("rds:AddRoleToDBInstance",),),
    "sagemaker.amazonaws.com": (
        ("sagemaker:CreateNotebookInstance",), ("sagemaker:CreateTrainingJob",), ("sagemaker:CreateProcessingJob",),
    ),
    "states.amazonaws.com": (("states:CreateStateMachine", "states:StartExecution"),),
}  # fmt: skip
"""For each service that roles can be passed to: what makes it act as the role, one of these sets of actions."""
RUNNING: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "bedrock-agentcore.amazonaws.com": (
        ("bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),
    ),
    "cloudformation.amazonaws.com": (
        ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"), ("cloudformation:UpdateStack",),
    ),
    "codebuild.amazonaws.com": (("codebuild:StartBuild",), ("codebuild:StartBuildBatch",)),
    "codestar.amazonaws.com": (("codestar:AssociateTeamMember",),),
    "datapipeline.amazonaws.com": (("datapipeline:PutPipelineDefinition",),),
    "ec2.amazonaws.com": (
        ("ec2-instance-connect:SendSSHPublicKey",), ("ssm:SendCommand",), ("ssm:StartSession",),
        ("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),
        ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
        ("ssm:CreateAssociation",), ("ssm:UpdateAssociation",), ("ssm:StartAutomationExecution",),
        ("elasticmapreduce:AddJobFlowSteps",),
    ),
    "ecs-tasks.amazonaws.com": (("ecs:ExecuteCommand",), ("ecs:RunTask",), ("batch:SubmitJob",)),
    "glue.amazonaws.com": (("glue:UpdateDevEndpoint",), ("glue:GetDevEndpoint",), ("glue:RunStatement",)),
    "lambda.amazonaws.com": (("lambda:UpdateFunctionCode",), ("lambda:UpdateFunctionConfiguration",)),
    "sagemaker.amazonaws.com": (
        ("sagemaker:CreatePresignedNotebookInstanceUrl",), ("sagemaker:CreatePresignedDomainUrl",),
        ("sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:UpdateNotebookInstance"),
    ),
    "states.amazonaws.com": (("states:UpdateStateMachine",),),
}  # fmt: skip
"""For each service: what gets into something that runs there already, as whatever role it was given."""


def spoken() -> set[str]:
    """Every action that is in one of the ways."""
    found = {*TAKEN, *WRITTEN, *LIFTED, *PROVIDED, JOINED, ASSUMED, PASSED}
    for table in (SERVICES, RUNNING):
        found.update(action for ways in table.values() for way in ways for action in way)
    return found
