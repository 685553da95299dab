FROM busybox
ADD app.py requirements.txt /both/
ADD data /data
WORKDIR /w
ADD links/rel .
