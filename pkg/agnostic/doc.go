// Package agnostic says whether one image can go to every environment: nothing in it may belong to one of them, and no secret
// may be baked into it. What differs between environments comes in at deploy time.
//
// [Check] reads an image's config, its history and all of its layers, and returns findings as values that print themselves:
// what, where (file, layer and Dockerfile step), an excerpt and the fix. No secret stands in a finding: excerpts are put
// together from names and marks, never cut out of a file.
//
// # What is a finding
//
// Files fall into parts, because the same bytes mean different things in them:
//
//   - own: the service's files and its configuration, with /etc and /usr/local. Every rule holds.
//   - packages: what package managers of languages put there (node_modules, site-packages, gems, vendor …). It is published,
//     so its example endpoints and .env files say nothing about this service.
//   - system: /usr, /lib, CA bundles, package databases; the same as packages.
//   - published: tests, examples and documentation in the two above, /usr/share/doc and its like, and trees of sources
//     such as a Go toolchain's. Nothing in it is a finding.
//
// Rules on what a file holds:
//
//   - A private key is PEM that decodes to a key: PKCS #1, PKCS #8 (also encrypted), SEC 1, OpenSSH or DSA. So the marker as a
//     constant in a program, and certificates, are none. It is looked for in the service's own binaries too. Packages and
//     system have keys of published tests compiled in (libgnutls, which every Debian image has), so there only a text file
//     counts that is a key by its name.
//   - An AWS access key id is AKIA or ASIA and 16 characters of base32, with nothing of the alphabet around it, at least six of
//     them different, and without the word EXAMPLE of AWS's documentation. A secret key is 40 characters of base64
//     with the entropy of one, behind its name.
//   - A dotenv file is one by its name that sets something; .env.example and the like are none.
//   - Files of tools (npm, pip, docker, git, netrc, kubectl, Terraform, cloud CLIs …) are findings by their path, and only if the
//     credential is in them: an .npmrc that says ${NPM_TOKEN} is none.
//   - An endpoint is a host in a text file of the service's own whose DNS labels have an environment's name as a label
//     or as a part of one. Documentation, tests, comment lines, lock files and binaries are not searched for them.
//   - A URL with a password is one in a text file of the service's own, unless the password is a word that stands for one, the
//     host is the machine itself, or the file is a test, a template or documentation.
//   - In environment variables, default values and build arguments: all of these, names that say they hold a secret, and
//     names that say which environment this is. NODE_ENV=production and its like are a mode of a framework which every
//     environment runs in, and no finding.
//
// A file that a later layer removes is a finding still: every pull brings the layer that has it.
//
// Archives of the service's own (jar, war, zip, whl) are looked into, one level deep; those in a folder called lib are other
// people's. Nested tars and compressed files are not, and the check knows secrets by their shape or their place alone: a
// password in a file of an unknown format is not found.
//
//	report, err := agnostic.Check(ctx, img, agnostic.Rules{}, contents.Limits{})
//	for _, f := range report.Findings {
//		fmt.Println(f)
//	}
package agnostic
