"""Points, cells, regions, node sets; small shapes; reading and writing."""

from ._frames import frames_from as frames_from
from ._mesh import Mesh as Mesh
from ._mesh import did_you_mean as did_you_mean
from ._mesh import drop_regions as drop_regions
from ._mesh import keep_regions as keep_regions
from ._mesh import submesh as submesh
from ._shapes import cable as cable
from ._shapes import sheet as sheet
from ._shapes import slab as slab
from ._topology import boundary_triangles as boundary_triangles
from ._topology import edge_lengths as edge_lengths
from ._topology import signed_volumes as signed_volumes
from ._topology import unique_edges as unique_edges
