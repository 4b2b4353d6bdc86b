# The key that signs what was proven. Its private half never leaves KMS; who may sign is in each role's policy.

resource "aws_kms_key" "evidence" {
  description              = "Signs the evidence of ${var.service}"
  customer_master_key_spec = "ECC_NIST_P256"
  key_usage                = "SIGN_VERIFY"
  # Evidence of a key that is gone proves nothing any more.
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "evidence" {
  name          = "alias/promote-${var.service}"
  target_key_id = aws_kms_key.evidence.key_id
}
