variable "service" {
  description = "Name of the service: of its image repository, and the first part of the names of its secrets and parameters."
  type        = string
}

variable "github_repository" {
  description = "Repository on GitHub whose jobs get the roles, owner/name."
  type        = string
}

variable "region" {
  description = "Region of everything here."
  type        = string
  default     = "eu-west-1"
}

variable "environments" {
  description = "The environments, with the EKS cluster of each, and the `sub` claims of the jobs that may have its role by OIDC (by default those of the templates' jobs)."
  type = map(object({
    cluster  = string
    subjects = optional(list(string))
  }))
  default = {
    test  = { cluster = "test" }
    stage = { cluster = "stage" }
    prod  = { cluster = "prod" }
  }
}

variable "runners_are_instances" {
  description = "Whether the runners are EC2 instances that get the role by an instance profile, one for each environment."
  type        = bool
  default     = true
}

variable "create_oidc_provider" {
  description = "Whether GitHub's OIDC provider is made here. An account has it once: false takes the one that is there."
  type        = bool
  default     = true
}

variable "secrets_key_arns" {
  description = "KMS keys of one's own that encrypt secrets and SecureString parameters, by environment. Empty: AWS's managed keys."
  type        = map(list(string))
  default     = {}
}

variable "canary_monitor" {
  description = "What the canary in prod asks in AWS: none, cloudwatch, or the ARN of an Amazon Managed Prometheus workspace."
  type        = string
  default     = "none"
}

variable "canary_dns" {
  description = "For `traffic: route53` in prod: the id of the hosted zone, and the name whose answers are shared, in small letters. Null: no rights in Route 53."
  type = object({
    zone = string
    name = string
  })
  default = null
}
