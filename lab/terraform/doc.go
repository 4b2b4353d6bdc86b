// Package terraform holds the tests of examples/aws: that it is formatted HCL that names only what it has, and that its policies allow
// exactly what promote's code calls. `terraform validate` needs the AWS provider, which is fetched from a registry; the tests use it where
// it is at hand.
package terraform
