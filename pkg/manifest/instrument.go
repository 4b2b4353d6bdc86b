package manifest

import (
	"fmt"
	"slices"
	"text/template/parse"
)

// mark says which line of a template a written text comes from: each of its lines when it is the template's own text, the one
// line of the action when an action wrote it.
type mark struct {
	at   origin
	text bool
}

// instrument prepares the parsed templates of one file: their texts and actions get marks, by which a sheet finds out where what
// is written comes from, and their conditions refuse placeholders.
type instrument struct {
	file   string
	breaks []int // the offsets of the file's line breaks
	tree   *parse.Tree
	marks  map[*byte]mark
}

func newInstrument(file File, marks map[*byte]mark) *instrument {
	i := &instrument{file: file.Name, marks: marks}
	for at, b := range file.Data {
		if b == '\n' {
			i.breaks = append(i.breaks, at)
		}
	}
	return i
}

// line is the origin of an offset.
func (i *instrument) line(pos parse.Pos) origin {
	before, _ := slices.BinarySearch(i.breaks, int(pos))
	return origin{file: i.file, line: before + 1}
}

func (i *instrument) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	nodes := make([]parse.Node, 0, 2*len(list.Nodes))
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			if len(n.Text) > 0 {
				// text/template passes this very slice to Write, and nothing else in the program starts at its first byte.
				i.marks[&n.Text[0]] = mark{at: i.line(n.Pos), text: true}
			}
		case *parse.ActionNode:
			i.pipe(n.Pipe)
			nodes = append(nodes, i.silent(n.Pos))
		case *parse.TemplateNode:
			i.pipe(n.Pipe)
			nodes = append(nodes, i.silent(n.Pos)) // Each call is a step.
		case *parse.IfNode:
			i.branch("if", &n.BranchNode)
		case *parse.WithNode:
			i.branch("with", &n.BranchNode)
		case *parse.RangeNode:
			i.branch("", &n.BranchNode)
			// So is each turn of a loop, also when nothing is in it.
			n.List.Nodes = slices.Insert(n.List.Nodes, 0, i.silent(n.Pos))
		}
		nodes = append(nodes, node)
	}
	list.Nodes = nodes
}

// silent is a text that writes nothing and says where the action behind it stands.
func (i *instrument) silent(pos parse.Pos) parse.Node {
	text := make([]byte, 1)
	i.marks[&text[0]] = mark{at: i.line(pos)}
	return &parse.TextNode{NodeType: parse.NodeText, Pos: pos, Text: text[:0]}
}

func (i *instrument) branch(keyword string, n *parse.BranchNode) {
	shown := fmt.Sprintf("{{ %s %s }}", keyword, n.Pipe)
	i.pipe(n.Pipe)
	if keyword != "" {
		n.Pipe.Cmds = append(n.Pipe.Cmds, i.decision(shown, n.Pipe.Pos))
	}
	i.list(n.List)
	i.list(n.ElseList)
}

// pipe lets the functions that decide refuse placeholders: comparisons in every argument, `and` and `or` in each but the last,
// which they pass on without asking whether it is empty. These two stop at the first argument that decides, so they cannot be
// replaced by functions.
func (i *instrument) pipe(pipe *parse.PipeNode) {
	if pipe == nil {
		return
	}
	var commands []*parse.CommandNode
	for at, command := range pipe.Cmds {
		name := ""
		if identifier, ok := command.Args[0].(*parse.IdentifierNode); ok {
			name = identifier.Ident
		}
		asked := 0
		switch {
		case slices.Contains(comparisons, name):
			asked = len(command.Args)
			if at > 0 {
				commands = append(commands, i.decision(name, command.Pos))
			}
		case name == "and" || name == "or":
			asked = len(command.Args) - 1
			if at > 0 {
				asked++ // What is piped in is the last.
			}
		}
		for n, arg := range command.Args {
			i.argument(arg)
			if n > 0 && n < asked && mayHold(arg) {
				command.Args[n] = i.asked(name, arg)
			}
		}
		commands = append(commands, command)
	}
	pipe.Cmds = commands
}

// argument looks for pipelines inside an argument.
func (i *instrument) argument(arg parse.Node) {
	switch n := arg.(type) {
	case *parse.PipeNode:
		i.pipe(n)
	case *parse.ChainNode:
		i.argument(n.Node)
	}
}

// mayHold says whether an argument can be a placeholder: all but literals can.
func mayHold(arg parse.Node) bool {
	switch arg.(type) {
	case *parse.NilNode, *parse.BoolNode, *parse.NumberNode, *parse.StringNode:
		return false
	}
	return true
}

// asked is (arg | decision).
func (i *instrument) asked(shown string, arg parse.Node) parse.Node {
	pos := arg.Position()
	first := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{arg}}
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Cmds: []*parse.CommandNode{first, i.decision(shown, pos)}}
}

// decider is the function at the end of what decides. Templates are parsed without it, so none can call it.
const decider = "promoteDecides"

// decision is the command at the end of a pipeline that decides something. It passes on what it gets, unless that is a
// placeholder: text/template takes every struct for true, so the other branch would never be rendered.
func (i *instrument) decision(shown string, pos parse.Pos) *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{
		parse.NewIdentifier(decider).SetPos(pos).SetTree(i.tree),
		&parse.StringNode{NodeType: parse.NodeString, Pos: pos, Quoted: fmt.Sprintf("%q", shown), Text: shown},
	}}
}

// decide is the decider.
func decide(shown string, v any) (any, error) {
	if _, ok := v.(Opaque); ok {
		return nil, undecided(shown)
	}
	return v, nil
}
