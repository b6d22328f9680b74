package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// Bounds of what a registry says about its tokens, in bytes.
const (
	maxChallenge = 4 << 10
	maxToken     = 32 << 10
)

// errCredentials is the error for a registry that does not give the image to everybody. Nobody's credentials are sent to a
// place that a stranger has named.
var errCredentials = errors.New("wants credentials, and only what it gives to everybody can be pulled: make the repository public")

// requestToken gets a token for anybody, from where the registry's challenge says (the distribution specification's token
// authentication). The token is for the registry alone.
func (s *source) requestToken(ctx context.Context, client *http.Client, challenges []string) (string, error) {
	if s.token != "" {
		return "", errCredentials // it had one, and that was not enough
	}
	address, err := s.realm(challenges)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("get token: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return "", errCredentials
	default:
		return "", fmt.Errorf("get token: %s answers %.80q", req.URL.Host, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxToken+1))
	if err != nil {
		return "", fmt.Errorf("get token: %w", err)
	}
	return parseToken(b)
}

// realm is the URL that gives tokens.
func (s *source) realm(challenges []string) (string, error) {
	for _, c := range challenges {
		params, ok := parseChallenge(c)
		if !ok {
			continue
		}
		u, err := url.Parse(params["realm"])
		if err == nil {
			err = checkTarget(u)
		}
		if err != nil {
			return "", fmt.Errorf("get token: realm: %w", err)
		}
		scope := params["scope"]
		if scope == "" {
			scope = "repository:" + s.path + ":pull"
		}
		query := u.Query()
		query.Set("scope", scope)
		if params["service"] != "" {
			query.Set("service", params["service"])
		}
		u.RawQuery, u.Fragment = query.Encode(), ""
		return u.String(), nil
	}
	return "", errCredentials
}

// parseChallenge reads a WWW-Authenticate header of the scheme Bearer (RFC 9110, 11.6.1): names in lower case. False for any
// other scheme, and for what is malformed.
func parseChallenge(header string) (params map[string]string, ok bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if len(header) > maxChallenge || !strings.EqualFold(scheme, "Bearer") {
		return nil, false
	}
	params = map[string]string{}
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return params, true
		}
		var name, value string
		if name, rest, ok = strings.Cut(rest, "="); !ok {
			return nil, false
		}
		if value, rest, ok = cutValue(rest); !ok {
			return nil, false
		}
		params[strings.ToLower(strings.TrimSpace(name))] = value
	}
}

// cutValue takes a token or a quoted string off the front.
func cutValue(s string) (value, rest string, ok bool) {
	if s = strings.TrimLeft(s, " \t"); !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ",")
		return strings.TrimSpace(value), rest, true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// parseToken reads what a realm answers.
func parseToken(b []byte) (string, error) {
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"` // its other name, as in OAuth 2
	}
	if len(b) > maxToken {
		return "", fmt.Errorf("get token: more than %d bytes: %w", maxToken, ErrImage)
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return "", fmt.Errorf("get token: %w", err)
	}
	token := answer.Token
	if token == "" {
		token = answer.AccessToken
	}
	strange := func(r rune) bool { return r <= ' ' || r > '~' }
	if token == "" || strings.ContainsFunc(token, strange) {
		return "", errors.New("get token: the answer has none")
	}
	return token, nil
}
