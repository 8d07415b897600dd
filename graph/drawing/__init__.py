"""Pictures of lineage: cards on layers from origin to consumer, drawn as SVG, HTML, DOT or GraphML.

Reading order: cards, picture, layout, svg, formats.
"""
