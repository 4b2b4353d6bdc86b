package tests

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// longestTag bounds, in bytes, one tag with its attributes, which encoding/xml keeps whole: of many small ones it makes
// twenty-five times their size. Messages of failures, which stand in attributes, are far shorter.
const longestTag = 4 << 20

// NewDecoder reads XML that code under test has written: no tag can fill the memory.
func NewDecoder(in io.Reader) *xml.Decoder {
	return xml.NewDecoder(&tags{in: bufio.NewReaderSize(in, 64<<10)})
}

// tags follows where tags begin and end. What is wrong with them is for the decoder to say.
type tags struct {
	in   *bufio.Reader
	at   within
	size int    // of the tag that is open
	mark byte   // the quote that an attribute's value ends with; 0 outside of one
	head string // what stands behind <!
	last string // the last bytes, as many as an end has
}

type within int

const (
	characters within = iota
	opening           // behind <
	declaring         // behind <!
	tag
	comment
	cdata
	instruction
)

// ends are what other things than tags end with.
var ends = map[within]string{comment: "-->", cdata: "]]>", instruction: "?>"}

// ReadByte makes it what the decoder reads from, without a buffer of its own.
func (t *tags) ReadByte() (byte, error) {
	b, err := t.in.ReadByte()
	if err != nil {
		return 0, err
	}
	switch t.at {
	case characters:
		if b == '<' {
			t.at = opening
		}
	case opening:
		t.size, t.mark, t.head, t.last, t.at = 0, 0, "", "", tag
		switch b {
		case '!':
			t.at = declaring
		case '?':
			t.at = instruction
		case '>':
			t.at = characters
		}
	case declaring:
		t.declare(b)
	case tag:
		if t.size++; t.size > longestTag {
			return 0, fmt.Errorf("a tag has more than %d MiB", longestTag>>20)
		}
		switch {
		case t.mark != 0 && b == t.mark:
			t.mark = 0
		case t.mark == 0 && (b == '"' || b == '\''):
			t.mark = b
		case t.mark == 0 && b == '>':
			t.at = characters
		}
	default:
		end := ends[t.at]
		if t.last += string(b); len(t.last) > len(end) {
			t.last = t.last[1:]
		}
		if t.last == end {
			t.at = characters
		}
	}
	return b, nil
}

// declare finds out what <! begins.
func (t *tags) declare(b byte) {
	const data = "[CDATA["
	switch t.head += string(b); {
	case t.head == "--":
		t.at = comment
	case t.head == data:
		t.at = cdata
	case !strings.HasPrefix(data, t.head) && t.head != "-":
		t.at = characters // a declaration, in which others may stand
	}
}

func (t *tags) Read(p []byte) (int, error) {
	for i := range p {
		b, err := t.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = b
	}
	return len(p), nil
}
