"""The ground floor: what could serve any subject. It knows no statistics and no customer."""
