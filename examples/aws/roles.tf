# One role for each environment: what a job there may do in AWS, and nothing in any other environment. Each statement is what
# promote calls; a test holds the two together.

locals {
  arn = "arn:${data.aws_partition.this.partition}"
  own = "${var.region}:${data.aws_caller_identity.this.account_id}"
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = var.create_oidc_provider ? 1 : 0
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_openid_connect_provider" "github" {
  count = var.create_oidc_provider ? 0 : 1
  url   = "https://token.actions.githubusercontent.com"
}

locals {
  oidc_provider_arn = var.create_oidc_provider ? aws_iam_openid_connect_provider.github[0].arn : data.aws_iam_openid_connect_provider.github[0].arn
}

# What the tokens of the jobs in workflows-templates/ say of themselves. Pull requests, whose workflow files anybody who may push can
# change, get the roles of test and stage alone; sweeping previews and rolling back runs on main there too.
locals {
  of_main          = "repo:${var.github_repository}:ref:refs/heads/main"
  of_pull_requests = "repo:${var.github_repository}:pull_request"
}

data "aws_iam_policy_document" "trust" {
  for_each = var.environments

  statement {
    sid     = "JobsOfThisEnvironment"
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    # Never with a wildcard: `repo:acme/greeter:*` would let any branch of anybody who may push have production's role.
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = each.value.subjects != null ? each.value.subjects : tolist(concat([local.of_main], contains(["test", "stage"], each.key) ? [local.of_pull_requests] : []))
    }
  }

  dynamic "statement" {
    for_each = var.runners_are_instances ? ["ec2.amazonaws.com"] : []
    content {
      sid     = "RunnersInTheVPC"
      actions = ["sts:AssumeRole"]
      principals {
        type        = "Service"
        identifiers = [statement.value]
      }
    }
  }
}

resource "aws_iam_role" "promote" {
  for_each           = var.environments
  name               = "promote-${var.service}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
  # A canary may take longer than the hour that is the default.
  max_session_duration = 14400
}

resource "aws_iam_instance_profile" "promote" {
  for_each = var.runners_are_instances ? var.environments : {}
  name     = aws_iam_role.promote[each.key].name
  role     = aws_iam_role.promote[each.key].name
}

data "aws_iam_policy_document" "promote" {
  for_each = var.environments

  # BatchGetSecretValue takes no resource; what it returns is decided by GetSecretValue on each secret.
  statement {
    sid       = "AskForSecrets"
    actions   = ["secretsmanager:BatchGetSecretValue"]
    resources = ["*"]
  }
  statement {
    sid       = "SecretsOfThisEnvironment"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["${local.arn}:secretsmanager:${local.own}:secret:${var.service}/${each.key}/*"]
  }
  statement {
    sid       = "ParametersOfThisEnvironment"
    actions   = ["ssm:GetParameters"]
    resources = ["${local.arn}:ssm:${local.own}:parameter/${var.service}/${each.key}/*"]
  }
  dynamic "statement" {
    for_each = contains(keys(var.secrets_key_arns), each.key) ? [var.secrets_key_arns[each.key]] : []
    content {
      sid       = "KeysOfThisEnvironmentsSecrets"
      actions   = ["kms:Decrypt"]
      resources = statement.value
    }
  }

  statement {
    sid       = "FindTheCluster"
    actions   = ["eks:DescribeCluster"]
    resources = ["${local.arn}:eks:${local.own}:cluster/${each.value.cluster}"]
  }

  statement {
    sid       = "LogInToTheRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  # Every environment pushes: evidence is stored beside the image.
  statement {
    sid = "TheImageAndWhatIsSaidOfIt"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeRepositories",
      "ecr:GetDownloadUrlForLayer",
      "ecr:GetLifecyclePolicy",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [aws_ecr_repository.service.arn]
  }

  statement {
    sid       = "SignAndVerifyEvidence"
    actions   = ["kms:GetPublicKey", "kms:Sign"]
    resources = [aws_kms_key.evidence.arn]
  }

  dynamic "statement" {
    for_each = each.key == "prod" && var.canary_monitor == "cloudwatch" ? ["*"] : []
    content {
      sid       = "AskCloudWatch"
      actions   = ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]
      resources = [statement.value] # CloudWatch knows no resources for these
    }
  }
  dynamic "statement" {
    for_each = each.key == "prod" && startswith(var.canary_monitor, "arn:") ? [var.canary_monitor] : []
    content {
      sid       = "AskPrometheus"
      actions   = ["aps:QueryMetrics"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = each.key == "prod" ? var.canary_dns[*] : []
    content {
      sid       = "ReadTheZone"
      actions   = ["route53:GetHostedZone", "route53:ListResourceRecordSets"]
      resources = ["${local.arn}:route53:::hostedzone/${statement.value.zone}"]
    }
  }
  dynamic "statement" {
    for_each = each.key == "prod" ? var.canary_dns[*] : []
    content {
      sid       = "ChangeOneName"
      actions   = ["route53:ChangeResourceRecordSets"]
      resources = ["${local.arn}:route53:::hostedzone/${statement.value.zone}"]
      condition {
        test     = "ForAllValues:StringEquals"
        variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
        values   = [statement.value.name]
      }
      condition {
        test     = "ForAllValues:StringEquals"
        variable = "route53:ChangeResourceRecordSetsRecordTypes"
        values   = ["A", "AAAA"]
      }
      condition {
        test     = "ForAllValues:StringEquals"
        variable = "route53:ChangeResourceRecordSetsActions"
        values   = ["UPSERT", "DELETE"]
      }
    }
  }
  dynamic "statement" {
    for_each = each.key == "prod" ? var.canary_dns[*] : []
    content {
      sid       = "WaitForAChange"
      actions   = ["route53:GetChange"]
      resources = ["${local.arn}:route53:::change/*"]
    }
  }
  dynamic "statement" {
    for_each = each.key == "prod" && var.canary_dns != null ? ["*"] : []
    content {
      sid = "SeeLoadBalancers"
      actions = [
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
      ]
      resources = [statement.value] # these know no resources
    }
  }
}

resource "aws_iam_role_policy" "promote" {
  for_each = var.environments
  name     = "promote"
  role     = aws_iam_role.promote[each.key].id
  policy   = data.aws_iam_policy_document.promote[each.key].json
}
