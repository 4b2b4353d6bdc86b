// Package templates holds the tests of workflows-templates/: that they are valid workflows, that they
// give the actions the inputs those declare, and that they keep the rules their README explains.
package templates
