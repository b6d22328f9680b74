package barter

// View is the registry as a planner looks at it: who hosts what, who rewards what. It follows the registry by differences.
type View struct{}
