package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"barnraise/services/search/index"
)

// readMarkdown makes a document of each Markdown file below a directory, in the order of their paths, byte by byte: the id is the
// path with slashes, the title the first heading or else the file's name, the text what a reader sees. Links of the file system are
// not followed, names that begin with a dot are passed over. An error names the file.
func readMarkdown(dir string) (documents []index.Document, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read folder: %w", err)
	}
	defer func() { _ = root.Close() }()
	var files []string
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular() && isMarkdown(name):
			files = append(files, name)
		}
		if len(files) > index.MaxDocuments {
			return fmt.Errorf("more than %d files", index.MaxDocuments)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	slices.Sort(files)
	size := 0
	for _, name := range files {
		content, err := readFile(root, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", dir, err)
		}
		if size += len(content); size > index.MaxSize {
			return nil, fmt.Errorf("read %s: more than %d bytes", dir, index.MaxSize)
		}
		title, text := plain(content)
		title = cmp.Or(title, strings.TrimSuffix(path.Base(name), path.Ext(name)))
		documents = append(documents, index.Document{ID: name, Title: cut(title), Text: text})
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("read %s: no files *.md or *.markdown in it", dir)
	}
	return documents, nil
}

func isMarkdown(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".md" || ext == ".markdown"
}

// readFile reads a file of the folder, not more than a text may have.
func readFile(root *os.Root, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, index.MaxText+1))
	if err != nil {
		return "", err
	}
	if len(content) > index.MaxText {
		return "", fmt.Errorf("%s: more than %d bytes", name, index.MaxText)
	}
	return string(content), nil
}
