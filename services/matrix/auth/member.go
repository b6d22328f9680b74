package auth

import (
	"barnraise/services/matrix/canonical"
)

// What users are to a room.
const (
	join   = "join"
	invite = "invite"
	leave  = "leave"
	ban    = "ban"
	knock  = "knock"
)

// authorised is the member of a join's content that names who let somebody into a restricted room.
const authorised = "join_authorised_via_users_server"

// membership is what a user is to the room.
func (c *check) membership(user string) string {
	e := c.state(at(Member, user))
	if e == nil {
		return leave
	}
	m, _ := e.Content.Get("membership").Str()
	return m
}

func (c *check) joinRule() string {
	e := c.state(at(JoinRules, ""))
	if e == nil {
		return invite
	}
	rule, _ := e.Content.Get("join_rule").Str()
	return rule
}

// member is the rules on events of type m.room.member.
func (c *check) member() Decision {
	n, content := c.text.member, c.event.Content
	if c.event.StateKey == nil || !content.Get("membership").Exists() {
		return reject(n, 1)
	}
	at := 2
	if c.version >= 8 {
		if via := content.Get(authorised); via.Exists() && !nameOfUser(via) { // nobody can have signed for that
			return reject(n, 2, 1)
		}
		at = 3
	}
	membership, _ := content.Get("membership").Str()
	switch {
	case membership == join:
		return c.join(n, at)
	case membership == invite:
		return c.invite(n, at+1)
	case membership == leave:
		return c.leave(n, at+2)
	case membership == ban:
		return c.ban(n, at+3)
	case membership == knock && c.version >= 7:
		return c.knock(n, at+4)
	case c.version >= 7:
		return reject(n, at+5)
	}
	return reject(n, at+4)
}

func nameOfUser(v canonical.Value) bool {
	s, ok := v.Str()
	return ok && isUserID(s)
}

func (c *check) join(n, m int) Decision {
	e, user := c.event, *c.event.StateKey
	is, rule := c.membership(user), c.joinRule()
	inside := is == invite || is == join
	switch {
	case len(e.PrevEvents) == 1 && e.PrevEvents[0] == c.create.ID && user == c.creator(c.create):
		return allow(n, m, 1)
	case e.Sender != user:
		return reject(n, m, 2)
	case is == ban:
		return reject(n, m, 3)
	case inside && (rule == invite || rule == knock && c.version >= 7):
		return allow(n, m, 4)
	case rule == "restricted" && c.version >= 8, rule == "knock_restricted" && c.version >= 10:
		return c.restricted(inside, n, m, 5)
	}
	last := 5
	if c.version >= 8 {
		last = 6
	}
	if rule == "public" {
		return allow(n, m, last)
	}
	return reject(n, m, last+1)
}

func (c *check) restricted(inside bool, n, m, k int) Decision {
	if inside {
		return allow(n, m, k, 1)
	}
	via, ok := c.event.Content.Get(authorised).Str()
	if !ok || c.membership(via) != join || c.levels.of(via) < c.levels.named("invite") {
		return reject(n, m, k, 2)
	}
	return allow(n, m, k, 3)
}

func (c *check) invite(n, m int) Decision {
	if third := c.event.Content.Get("third_party_invite"); third.Exists() {
		return c.thirdParty(third, n, m, 1)
	}
	is := c.membership(*c.event.StateKey)
	switch {
	case c.membership(c.event.Sender) != join:
		return reject(n, m, 2)
	case is == join || is == ban:
		return reject(n, m, 3)
	case c.levels.of(c.event.Sender) >= c.levels.named("invite"):
		return allow(n, m, 4)
	}
	return reject(n, m, 5)
}

func (c *check) leave(n, m int) Decision {
	sender, target := c.event.Sender, *c.event.StateKey
	is, power := c.membership(target), c.levels.of(sender)
	switch {
	case sender == target:
		return decide(is == invite || is == join || is == knock && c.version >= 7, n, m, 1)
	case c.membership(sender) != join:
		return reject(n, m, 2)
	case is == ban && power < c.levels.named("ban"):
		return reject(n, m, 3)
	case power >= c.levels.named("kick") && c.levels.of(target) < power:
		return allow(n, m, 4)
	}
	return reject(n, m, 5)
}

func (c *check) ban(n, m int) Decision {
	power := c.levels.of(c.event.Sender)
	switch {
	case c.membership(c.event.Sender) != join:
		return reject(n, m, 1)
	case power >= c.levels.named("ban") && c.levels.of(*c.event.StateKey) < power:
		return allow(n, m, 2)
	}
	return reject(n, m, 3)
}

func (c *check) knock(n, m int) Decision {
	is, rule := c.membership(c.event.Sender), c.joinRule()
	switch {
	case rule != knock && (rule != "knock_restricted" || c.version < 10):
		return reject(n, m, 1)
	case c.event.Sender != *c.event.StateKey:
		return reject(n, m, 2)
	case is != ban && is != invite && is != join:
		return allow(n, m, 3)
	}
	return reject(n, m, 4)
}
