// Package shell reads what bash would run, and runs nothing: it finds the programs that a command calls, so that one that is not on the
// machine is known before it is needed.
//
// It refuses to guess: what stands behind a condition, in a variable or in a function's body may never be called, and is left out.
//
//	names, err := shell.Programs("npm ci && npm test") // npm, npm
package shell

import (
	"errors"
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Programs gives the names of the programs that a command calls whatever happens before them in it, in their order, also twice. Builtins and
// functions of the command's own are none. Text that bash would not read is an error with its line.
func Programs(command string) ([]string, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(command), "")
	if err != nil {
		var wrong syntax.ParseError
		if errors.As(err, &wrong) {
			return nil, fmt.Errorf("line %d: %s", wrong.Pos.Line(), wrong.Text)
		}
		return nil, err
	}
	own := map[string]bool{}
	syntax.Walk(file, func(node syntax.Node) bool {
		if function, ok := node.(*syntax.FuncDecl); ok {
			own[function.Name.Value] = true
		}
		return true
	})
	var names []string
	calls(file.Stmts, func(name string) {
		if !own[name] && !builtins[name] {
			names = append(names, name)
		}
	})
	return names, nil
}

// calls tells each command that statements run for certain.
func calls(statements []*syntax.Stmt, each func(string)) {
	for _, statement := range statements {
		switch c := statement.Cmd.(type) {
		case *syntax.CallExpr:
			if len(c.Args) > 0 {
				if name := c.Args[0].Lit(); name != "" {
					each(name)
				}
			}
		case *syntax.BinaryCmd:
			calls([]*syntax.Stmt{c.X}, each)
			if c.Op != syntax.OrStmt {
				calls([]*syntax.Stmt{c.Y}, each)
			}
		case *syntax.Subshell:
			calls(c.Stmts, each)
		case *syntax.Block:
			calls(c.Stmts, each)
		case *syntax.TimeClause:
			if c.Stmt != nil {
				calls([]*syntax.Stmt{c.Stmt}, each)
			}
		}
	}
}

// builtins are those of bash 5 that can stand where a program does.
var builtins = names(`. : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown echo enable
	eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readarray
	readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait`)

func names(text string) map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(text) {
		all[name] = true
	}
	return all
}
