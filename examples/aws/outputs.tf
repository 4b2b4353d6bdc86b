output "image" {
  description = "The repository variable PROMOTE_IMAGE."
  value       = aws_ecr_repository.service.repository_url
}

output "evidence_key" {
  description = "The repository variable PROMOTE_EVIDENCE_KEY."
  value       = "awskms:///${aws_kms_alias.evidence.name}"
}

output "roles" {
  description = "The role of each environment's jobs: for role-to-assume, or by the instance profile of the same name."
  value       = { for name, role in aws_iam_role.promote : name => role.arn }
}
