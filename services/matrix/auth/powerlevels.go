package auth

// powerLevels is the rules on events of type m.room.power_levels. Their numbers within the rule are counted as they come.
func (c *check) powerLevels() Decision {
	to, from := c.content(c.event), c.levels.said
	next := 0
	number := func(sub ...int) []int { return append([]int{c.text.powerLevels, next}, sub...) }
	if c.version >= 10 {
		if next++; !to.properties.sound() {
			return reject(number()...)
		}
		if next++; !to.sound || !to.events.sound() || !to.notifications.sound() {
			return reject(number()...)
		}
	}
	if next++; !to.soundUsers {
		return reject(number()...)
	}
	if c.version >= 12 {
		if next++; c.namesCreator(to.users) {
			return reject(number()...)
		}
	}
	if next++; from == nil {
		return allow(number()...)
	}
	for _, rule := range c.onChanges() {
		next++
		if broken := rule(from, to); broken > 0 {
			return reject(number(broken)...)
		}
	}
	next++
	return allow(number()...)
}

// namesCreator reports whether one of the room's creators is among the users.
func (c *check) namesCreator(users table) bool {
	for _, l := range users {
		if c.isCreator(c.create, l.name) {
			return true
		}
	}
	return false
}

// onChanges are the rules on what may become of one content when another takes its place, in their order. Each gives the
// number of its part that is broken, 0 where none is.
func (c *check) onChanges() []func(from, to *content) int {
	power := c.levels.of(c.event.Sender)
	had := func(ch change) bool { return ch.had && ch.from > power }
	gets := func(ch change) bool { return ch.has && ch.to > power }
	others := func(ch change) bool { return ch.name != c.event.Sender && ch.had && ch.from >= power }
	maps := func(breaks func(change) bool) func(from, to *content) int {
		return func(from, to *content) int {
			return broken(from.events.changed(to.events, breaks) ||
				c.version >= 6 && from.notifications.changed(to.notifications, breaks))
		}
	}
	users := func(breaks func(change) bool) func(from, to *content) int {
		return func(from, to *content) int { return broken(from.users.changed(to.users, breaks)) }
	}
	return []func(from, to *content) int{
		func(from, to *content) int { return alterations(from.properties, to.properties, had, gets) },
		maps(had), maps(gets), users(others), users(gets),
	}
}

// broken is the number of the only part of a rule.
func broken(b bool) int {
	if b {
		return 1
	}
	return 0
}

// alterations gives 1 where the first property that breaks anything is had, 2 where it gets, 0 where none does.
func alterations(from, to table, had, gets func(change) bool) int {
	for _, name := range properties {
		ch := turn(name, from.find(name), to.find(name))
		switch {
		case !ch.is():
		case had(ch):
			return 1
		case gets(ch):
			return 2
		}
	}
	return 0
}
