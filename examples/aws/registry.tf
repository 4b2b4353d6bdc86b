# The image's repository: a tag of a commit or a tree never moves, and nothing that may serve is removed.

resource "aws_ecr_repository" "service" {
  name                 = var.service
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"

  # The marker goes from image to image.
  image_tag_mutability_exclusion_filter {
    filter      = "test"
    filter_type = "WILDCARD"
  }
  # Where tools without the referrers API list what refers to an image.
  image_tag_mutability_exclusion_filter {
    filter      = "sha256-*"
    filter_type = "WILDCARD"
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

# An image is as old as its first push, and a new tag does not make it younger: a rule by age removes what serves. This one keeps the
# newest thousand builds. Nothing without a tag is removed, because evidence has none; it goes with its image.
resource "aws_ecr_lifecycle_policy" "service" {
  repository = aws_ecr_repository.service.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the newest 1000 builds"
      selection = {
        tagStatus      = "tagged"
        tagPatternList = ["tree-*"]
        countType      = "imageCountMoreThan"
        countNumber    = 1000
      }
      action = { type = "expire" }
    }]
  })
}
