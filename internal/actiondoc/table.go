package main

import (
	"fmt"
	"strings"
)

func inputTable(a action) string {
	var b strings.Builder
	b.WriteString("| Input | What it is | Default |\n| --- | --- | --- |\n")
	for _, in := range a.Inputs {
		fallback := ""
		switch {
		case in.Required:
			fallback = "**required**"
		case in.Default != "":
			fallback = "`" + cell(in.Default) + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", in.Name, cell(in.Description), fallback)
	}
	return b.String()
}

func outputTable(a action) string {
	var b strings.Builder
	b.WriteString("| Output | What it is |\n| --- | --- |\n")
	for _, out := range a.Outputs {
		fmt.Fprintf(&b, "| `%s` | %s |\n", out.Name, cell(out.Description))
	}
	return b.String()
}

// cell keeps a description on one line of a table. A bar would end the cell, even within code.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
