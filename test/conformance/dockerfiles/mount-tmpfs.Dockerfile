FROM busybox
RUN --mount=type=tmpfs,target=/scratch touch /scratch/gone && grep ' /scratch ' /proc/mounts | cut -d' ' -f3 > /type
