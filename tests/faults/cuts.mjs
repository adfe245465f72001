export async function cuts() { return true; }
