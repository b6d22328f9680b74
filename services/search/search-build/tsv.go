package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"barnraise/services/search/index"
)

// maxLine is the longest line of a TSV file, in bytes: a document of the largest parts.
const maxLine = index.MaxID + index.MaxTitle + index.MaxText + 3

// readTSV reads a document from each line: id, title and text between tabs. There are no escapes and no header; a byte
// order mark before the first is none of it. An error names the line.
func readTSV(file string) ([]index.Document, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	defer func() { _ = f.Close() }()
	documents, err := parseTSV(io.LimitReader(f, index.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return documents, nil
}

func parseTSV(r io.Reader) (documents []index.Document, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	size := 0
	for lines.Scan() {
		n := len(documents) + 1
		if size += len(lines.Bytes()) + 1; size > index.MaxSize || n > index.MaxDocuments {
			return nil, fmt.Errorf("line %d: more than %d documents or %d bytes", n, index.MaxDocuments, index.MaxSize)
		}
		line := lines.Text()
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		parts := strings.Split(line, "\t")
		if len(parts) != 3 {
			return nil, fmt.Errorf("line %d: %d fields, want 3 with tabs between them: id, title, text", n, len(parts))
		}
		documents = append(documents, index.Document{ID: parts[0], Title: parts[1], Text: parts[2]})
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d: longer than %d bytes", len(documents)+1, maxLine)
	}
	return documents, lines.Err()
}
