// Package changes holds what happens to the example's repository during the demo: four changes, as a
// developer would commit them, each a patch that applies on top of the one before. The text above a patch's
// first file is what its pull request says; git apply skips it.
//
//   - 01 is good: it goes all the way to production.
//   - 02 passes every test and fails under live traffic: its canary is rolled back.
//   - 03 passes its unit tests and fails its integration tests: it never leaves the test environment.
//   - 04 is good and is closed without a merge: it has a preview, an autoscaler and a reset before its integration tests.
//
// The patches leave the README alone, because a repository that copied the example has its own. This package has
// no code, only the test that the changes do what the demo tells of them.
package changes
