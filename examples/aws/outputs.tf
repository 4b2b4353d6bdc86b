output "image" {
  description = "The repository variable PROMOTE_IMAGE."
  value       = aws_ecr_repository.service.repository_url
}

output "evidence_key" {
  description = "The repository variable PROMOTE_EVIDENCE_KEY."
  value       = "awskms:///${aws_kms_alias.evidence.name}"
}

output "roles" {
  description = "The role of each environment's jobs: by the instance profile of the same name, or by OIDC with the repository variables AWS_ROLE_TEST, AWS_ROLE_STAGE and AWS_ROLE_PROD; AWS_ROLE_BUILD may be test's."
  value       = { for name, role in aws_iam_role.promote : name => role.arn }
}
