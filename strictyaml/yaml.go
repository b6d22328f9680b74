package strictyaml

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The most that is read at all. The parser takes time with the square of each, so that even at the worst it is done within
// about a second.
const (
	MaxSize  = 256 << 10 // bytes of a file
	MaxDepth = 64        // lists and maps within each other
	MaxWords = 32 << 10  // keys, values, and the marks between them
	MaxBlank = 128       // ends of lines with nothing between them
	MaxTabs  = 1 << 10
)

// toJSON reads one YAML document.
func toJSON(data []byte) ([]byte, error) {
	switch {
	case tooBlank(data):
		return nil, fmt.Errorf("more than %d blank lines in a row", MaxBlank)
	case bytes.Count(data, []byte("\t")) > MaxTabs:
		return nil, fmt.Errorf("more than %d tabs: YAML wants spaces", MaxTabs)
	}
	tokens := lexer.Tokenize(string(data))
	if err := check(tokens); err != nil {
		return nil, err
	}
	for _, t := range tokens {
		if t.Type == token.HexIntegerType && len(t.Value) > len("0x0123456789abcdef") {
			t.Type = token.StringType // an address or a hash, whose leading zeros mean something
		}
	}
	file, err := parser.Parse(tokens, 0)
	switch {
	case err != nil:
		return nil, err
	case len(file.Docs) > 1:
		return nil, errSecond
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		return nil, nil
	}
	var value any
	if err := yaml.NodeToValue(file.Docs[0].Body, &value, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	return yaml.MarshalWithOptions(value, yaml.JSON())
}

var errSecond = errors.New("there is a second document: only one is taken")

// tooBlank reports whether many lines in a row hold nothing.
func tooBlank(data []byte) bool {
	blank := 0
	for _, c := range data {
		switch c {
		case '\n', '\r':
			if blank++; blank > MaxBlank {
				return true
			}
		case ' ', '\t':
		default:
			blank = 0
		}
	}
	return false
}

// check refuses what the package comment says, and what would keep the parser busy.
func check(tokens token.Tokens) error {
	if len(tokens) > MaxWords {
		return fmt.Errorf("%d keys, values and marks, at most %d", len(tokens), MaxWords)
	}
	headers, flow := 0, 0
	var columns []int // of the lists and maps around a token, those within brackets aside
	for i, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType:
			return fmt.Errorf("line %d: anchors, aliases, tags and directives are not taken", t.Position.Line)
		case token.DocumentHeaderType:
			headers++
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		}
		if flow == 0 && begins(tokens, i) {
			for len(columns) > 0 && columns[len(columns)-1] >= t.Position.Column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, t.Position.Column)
		}
		switch {
		case headers > 1:
			return errSecond
		case len(columns)+flow > MaxDepth:
			return fmt.Errorf("line %d: lists and maps more than %d deep", t.Position.Line, MaxDepth)
		}
	}
	return nil
}

// begins reports whether a list or a map can begin at token i: it is the first on its line, or stands after a mark that begins
// one.
func begins(tokens token.Tokens, i int) bool {
	if i == 0 || tokens[i].Position.Line != tokens[i-1].Position.Line {
		return true
	}
	before := tokens[i-1].Type
	return before == token.SequenceEntryType || before == token.MappingKeyType
}
