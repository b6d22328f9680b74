package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"barnraise/verifiers/templates"

	"github.com/spf13/cobra"
)

// newResult is what verifier new prints as JSON.
type newResult struct {
	Language string   `json:"language"`
	Dir      string   `json:"dir"`
	Next     []string `json:"next"` // commands
}

func (r newResult) text(w io.Writer) {
	for _, command := range r.Next {
		fmt.Fprintln(w, command)
	}
}

func (a *app) verifierNew() *cobra.Command {
	return &cobra.Command{
		Use:   "new LANG DIR",
		Short: "Write a project that builds a verifier: " + strings.Join(templates.Languages(), ", "),
		Long: `New writes a small project into a new or empty directory: a verifier that accepts answers which are the same
bytes, what it is written against, build.sh, and test vectors. It prints what to type next.`,
		Example: "  barnraise verifier new go myverifier",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			language, dir := args[0], args[1]
			project, err := templates.Open(language)
			if errors.Is(err, templates.ErrLanguage) {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			if err == nil {
				err = writeProject(dir, project)
			}
			if err != nil {
				return err
			}
			a.say("a verifier in %s is in %s; next, and once more after every change:", language, dir)
			shown := shellWord(dir)
			r := newResult{language, dir, []string{
				"sh " + shellWord(filepath.Join(dir, "build.sh")),
				"barnraise verifier test " + shown,
				"barnraise verifier fuzz " + shown,
			}}
			return a.print(r, r.text)
		},
	}
}

// writeProject writes the files of a project into a directory that is new or empty.
func writeProject(dir string, project fs.FS) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("write project into %s: it is not empty; name a directory that is new or empty", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("write project: %w", err)
	}
	if err := os.CopyFS(dir, project); err != nil {
		return fmt.Errorf("write project: %w", err)
	}
	return nil
}

// shellWord is a file's name as a shell takes it.
func shellWord(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+", r)
	}
	if strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 && !strings.HasPrefix(name, "-") {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
