# Who a job is in the cluster: a member of the group `promote`, which docs/role.yaml is bound to. The clusters are there already, and
# take access entries (authentication mode API or API_AND_CONFIG_MAP).

resource "aws_eks_access_entry" "promote" {
  for_each          = var.environments
  cluster_name      = each.value.cluster
  principal_arn     = aws_iam_role.promote[each.key].arn
  kubernetes_groups = ["promote"]
}
