// Package tests reads what test runners report: JUnit files, the events of `go test -json`, and what cargo prints. It gives
// the same results for all of them: which tests passed, failed, were skipped or are flaky, how long they took, and where in the
// repository a failure is.
//
// It refuses reports that are older than the command that should have written them, files of more than 64 MiB, and whatever
// could fill the memory: reports come from the code under test and are hostile.
//
//	out := tests.NewOutput(log)
//	cmd.Stdout, cmd.Stderr = out.Stdout(), out.Stderr()
//	… run it …
//	out.End()
//	files, err := tests.FindReports("JUnit", dir, []string{"build/**/*.xml"}, began)
//	found, err := out.Results(tests.NewPlaces(workspace, dir), files.Found, exitCode)
//	fmt.Println(found.Counts()) // 2 of 31 tests failed, 1 skipped
package tests
