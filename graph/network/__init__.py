"""The network that goods move in: who is central, who could be missed, what goes round."""
