package barnraise_test

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dialling is what reaches other machines, or would by default, by package of the standard library.
var dialling = map[string][]string{
	"net": {
		"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "Resolver", "DefaultResolver",
		"LookupHost", "LookupIP", "LookupAddr", "LookupCNAME", "LookupTXT", "LookupSRV", "LookupMX", "LookupNS",
		"ResolveTCPAddr", "ResolveUDPAddr", "ResolveIPAddr",
	},
	"net/http":          {"Client", "DefaultClient", "DefaultTransport", "Transport", "Get", "Head", "Post", "PostForm", "ProxyFromEnvironment"},
	"net/http/httputil": {"ReverseProxy", "NewSingleHostReverseProxy"},
	"net/rpc":           {"Dial", "DialHTTP", "DialHTTPPath"},
	"net/smtp":          {"Dial", "SendMail"},
	"crypto/tls":        {"Dial", "DialWithDialer", "Dialer"},
}

// dials lists who may use what of that, each with its reason. All addresses that strangers choose are dialled by package dial, which
// looks at each before it connects (protocol 10.2).
var dials = map[string]map[string]string{
	"barnraise/dial":                {"*": "it is the one who dials"},
	"barnraise/registry/evm":        {"*": "the operator's own endpoints of the chain, which he names himself and which may be on this machine"},
	"barnraise/registry/evm/signer": {"*": "the operator's own signer, which he names himself"},
	"barnraise/runtime/worker":      {"*": "a unix socket between two processes of this server"},
	"barnraise/runtime/docker":      {"net.Dialer": "a service within its own namespace, which has loopback alone; or a unix socket to it"},
	"barnraise/client":              {"net/http.Client": "over the transport of dial, or one that its user gives it"},
	"barnraise/client/plain":        {"net/http.Client": "whose transport makes verified calls"},
	"barnraise/service/servicetest": {"net/http.Post": "a service that the test itself started"},
}

// apart are no part of what runs at a user's: nobody who follows the rules of a network is behind them.
var apart = []string{"barnraise/tools", "barnraise/examples", "barnraise/services", "barnraise/runtime/suite/testdata"}

// Protocol 10.2: one implementation, on every connection. No other room dials what strangers chose.
func TestProtocol10_2OneRoomDialsStrangers(t *testing.T) {
	used := make(map[string]bool)
	for _, p := range packages(t, "./...") {
		if slices.ContainsFunc(apart, func(a string) bool { return within(p.ImportPath, a) }) {
			continue
		}
		for _, f := range parsed(t, p) {
			for _, what := range dialled(f) {
				why := dials[p.ImportPath][what]
				used[p.ImportPath+" "+what], used[p.ImportPath+" *"] = true, true
				if why == "" && dials[p.ImportPath]["*"] == "" {
					t.Errorf("%s uses %s: strangers' addresses are dialled by package dial; where this one is no stranger's, say why", p.ImportPath, what)
				}
			}
		}
	}
	for pkg, exceptions := range dials {
		for what := range exceptions {
			if !used[pkg+" "+what] {
				t.Errorf("%s does not use %s any more: take it out of dials", pkg, what)
			}
		}
	}
}

// dialled lists what of dialling a file uses, as net/http.Get.
func dialled(f *ast.File) (list []string) {
	names := make(map[string]string) // packages by the names they have in the file
	for _, i := range f.Imports {
		at, _ := strconv.Unquote(i.Path.Value)
		if dialling[at] == nil {
			continue
		}
		name := path.Base(at)
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = at
		if name == "." {
			list = append(list, at+" without its name")
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if p, ok := n.(*ast.StarExpr); ok {
			if c, ok := p.X.(*ast.SelectorExpr); ok && c.Sel.Name == "Client" {
				return false // a type: whoever has one was handed it
			}
		}
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && slices.Contains(dialling[names[x.Name]], s.Sel.Name) {
			list = append(list, names[x.Name]+"."+s.Sel.Name)
		}
		return true
	})
	return list
}

// What the test above looks for it finds.
func TestDialledIsFound(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.go")
	source := `package a
import ("net"; web "net/http"; "crypto/tls")
var a = web.DefaultClient
var b web.Client
var c *web.Client
var d = *web.DefaultClient
func f() { net.Dial("tcp", ""); web.Get(""); (&net.Dialer{}).Dial("", ""); tls.Dial("", "", nil); net.ParseIP("") }
`
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	files := parsed(t, pkg{Dir: dir, GoFiles: []string{"a.go"}})
	want := "net/http.DefaultClient net/http.Client net/http.DefaultClient net.Dial net/http.Get net.Dialer crypto/tls.Dial"
	if got := strings.Join(dialled(files[0]), " "); got != want {
		t.Errorf("found %s, want %s", got, want)
	}
}
